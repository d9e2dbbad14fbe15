"""The promise that nothing accepted is lost, kept through thirty kills at random moments."""

import asyncio
import http.client
import json
import random
import re
import threading
import time
from collections import Counter
from email import message_from_bytes
from pathlib import Path

from tests.support.daemon import Daemon
from tests.support.scripted_smtp import ScriptedSmtp, StoredMail

KILLS = 30


class Client(threading.Thread):
    """Posts without pause, to whichever daemon runs, and keeps the ids that were answered 202."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__(daemon=True)
        self.accepted: list[str] = []
        self._daemon = daemon
        self._stop_posting = threading.Event()

    def run(self) -> None:
        number = 0
        while not self._stop_posting.is_set():
            try:
                number = self._post_until_it_breaks(number)
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)

    def _post_until_it_breaks(self, number: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self._daemon.port, timeout=10)
        try:
            while not self._stop_posting.is_set():
                number += 1
                body = json.dumps({"subject": f"alert {number}", "content": "x" * random.randrange(2000)})
                connection.request("POST", "/alerts", body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                answer = json.loads(response.read())
                if response.status == 202:
                    self.accepted.append(answer["id"])
        finally:
            connection.close()
        return number

    def finish(self) -> None:
        self._stop_posting.set()
        self.join(30)


def alert_ids(daemon: Daemon) -> set[str]:
    """Return the ids of every alert that the daemon lists as sent."""
    found: set[str] = set()
    cursor = ""
    while cursor is not None:
        page = daemon.get(f"/alerts?state=sent&limit=500{cursor and '&cursor=' + cursor}").json
        found.update(alert["id"] for alert in page["alerts"])
        cursor = page["next"]
    return found


def alert_named_in(mail: StoredMail) -> str:
    """Return the id that the foot of every mail names."""
    found = re.search(rb"Alert ([0-9A-Z]{13}), received", mail.data)
    assert found is not None
    return found[1].decode()


def envelope_of(mail: StoredMail) -> tuple[str, str]:
    message = message_from_bytes(mail.data)
    return message["X-MailAlert-Id"].partition(".")[0], message["Message-ID"]


async def test_thirty_kills_lose_nothing(tmp_path: Path) -> None:
    """Every alert answered 202 is delivered, however often the daemon is killed; duplicates are recognisable."""
    async with ScriptedSmtp() as relay:
        settings = {"relay": f"smtp://127.0.0.1:{relay.port}", "mail_from": "a@example.org", "mail_to": "b@example.org"}
        with Daemon(tmp_path / "var", **settings) as daemon:
            clients = await asyncio.to_thread(crash_again_and_again, daemon)
            await asyncio.to_thread(daemon.wait_until_idle, timeout=60)
            sent = await asyncio.to_thread(alert_ids, daemon)
            assert await asyncio.to_thread(daemon.stop) == 0
    accepted = {number for client in clients for number in client.accepted}
    assert len(accepted) > KILLS, "the clients hardly got an alert in"
    assert accepted <= sent
    assert accepted <= set(map(alert_named_in, relay.mails)), "the relay has no mail of some alert"
    copies = Counter(map(envelope_of, relay.mails))
    assert len({envelope for envelope, _ in copies}) == len(copies), "one envelope came under two Message-IDs"
    assert len(copies) >= len(accepted)
    print(f"{len(accepted)} accepted, {len(relay.mails)} mails, {len(relay.mails) - len(copies)} duplicates")


def crash_again_and_again(daemon: Daemon) -> list[Client]:
    daemon.start()
    clients = [Client(daemon) for _ in range(3)]
    for client in clients:
        client.start()
    for _ in range(KILLS):
        time.sleep(random.uniform(0.02, 0.4))
        daemon.kill()
        daemon.start()
    for client in clients:
        client.finish()
    return clients
