"""One run of the daemon through a fault, from the first post to the ledger that closes it.

with background_relay(DOT=Drop()) as relay, FaultRun(tmp_path, relay.port) as run:
    alert = run.post("disk full")
    run.settle()
    assert run.close(relay.mails).delivered == 1
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from tests.support.daemon import Daemon, mail_settings
from tests.support.ledger import Balance, close_ledger
from tests.support.ledger_records import copies_at, read_journal
from tests.support.scripted_smtp import StoredMail
from tests.support.waiting import until

BATCH = 1000  # alerts in one post
HASTY = [sys.executable, "-m", "tests.support.hasty_daemon"]


class FaultRun:
    """A daemon whose waits are short, and the ids that it answered 202; started when it is entered.

    `port` is of the relay on loopback; `settings` are the daemon's, and win.
    """

    def __init__(self, folder: Path, port: int, **settings: object) -> None:
        # The system's own alarms would be mails among those that a test counts.
        quiet = {"alarm__to": "[]", "drain_timeout": "5s"}
        self.daemon = Daemon(folder / "var", **mail_settings(port, **quiet) | settings)
        self.daemon.program = HASTY
        self.accepted: list[str] = []

    def __enter__(self) -> Self:
        try:
            self.daemon.start()
        except BaseException:
            self.daemon.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.daemon.kill()

    def post(self, subject: str = "disk full", **more: Any) -> str:
        """Post one alert, and return its id."""
        answer = self.daemon.post({"subject": subject, **more})
        assert answer.status == 202, answer
        number: str = answer.json["id"]
        self.accepted.append(number)
        return number

    def post_many(self, count: int, **more: Any) -> list[str]:
        """Post `count` alerts in arrays, and return their ids."""
        ids: list[str] = []
        while len(ids) < count:
            batch = range(len(ids), min(count, len(ids) + BATCH))
            answer = self.daemon.post([{"subject": f"alert {number}", **more} for number in batch])
            assert answer.status == 202, answer
            ids += answer.json["ids"]
        self.accepted += ids
        return ids

    def report(self, alert: str) -> Any:
        """Return what GET /alerts/{id} says."""
        return self.daemon.get(f"/alerts/{alert}").json

    def recipients(self, alert: str) -> list[dict[str, Any]]:
        """Return what it says of each recipient."""
        recipients: list[dict[str, Any]] = self.report(alert)["mails"][0]["recipients"]
        return recipients

    def wait_for(self, alert: str, **wanted: object) -> dict[str, Any]:
        """Return the first recipient once what is said of it is as `wanted`."""

        def so() -> bool:
            first = self.recipients(alert)[0]
            return all(first[name] == value for name, value in wanted.items())

        until(so, why=lambda: (self.recipients(alert), self.daemon.lines[-10:]))
        return self.recipients(alert)[0]

    def settle(self) -> None:
        """Wait until every mail has ended."""
        self.daemon.wait_until_idle()

    def crash(self) -> None:
        """Kill the daemon and start it again."""
        self.daemon.kill()
        self.daemon.start()

    def close(self, stored: Iterable[StoredMail]) -> Balance:
        """End the daemon if it runs, and return the balance of the run against what a scripted relay stored."""
        if self.daemon.is_running:
            assert self.daemon.stop() == 0
        return close_ledger(
            accepted=self.accepted, stored=copies_at(stored), journal=read_journal(self.daemon.data_dir)
        )
