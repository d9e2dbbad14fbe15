"""An alert storm behind a dead relay, and what happens when the relay comes back."""

from pathlib import Path

import pytest

from tests.support.background import BackgroundLoop
from tests.support.background_relay import parsed
from tests.support.fault_run import FaultRun
from tests.support.ports import free_port
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.waiting import until

STORM = 20_000  # alerts; `make bench` does it with 100,000
CRITICAL = 100
CONNECTIONS = 4
RSS_LIMIT = 200 * 1024 * 1024  # bytes, however many wait
WINDOW = 200  # mails that the queue holds in memory: these may go before a critical one


@pytest.mark.timeout(300)
def test_a_storm_behind_a_dead_relay(tmp_path: Path) -> None:
    """Fault 25: a storm behind a dead relay stays on the disk; then critical goes first, over few connections."""
    relay = ScriptedSmtp(port=free_port())
    with BackgroundLoop() as loop, FaultRun(tmp_path, relay.port, relay_connections=CONNECTIONS) as run:
        run.post_many(STORM, severity="info", content="x" * 500)
        urgent = run.post_many(CRITICAL, severity="critical")
        run.daemon.wait_for_event("relay_fault", count=2)
        assert run.daemon.rss_bytes < RSS_LIMIT
        loop.run(relay.start())
        until(lambda: bool(relay.mails))
        assert relay.connections <= CONNECTIONS, "many probes at once"
        run.daemon.wait_until_idle(timeout=200)
        assert run.daemon.rss_bytes < RSS_LIMIT
        balance = run.close(relay.mails)
        loop.run(relay.stop())
    first = relay.mails[: CRITICAL + WINDOW]
    assert sum(parsed(mail)["X-Priority"] == "1" for mail in first) == len(urgent)
    assert (balance.delivered, balance.flagged) == (STORM + CRITICAL, 0)
    assert relay.most_connections <= CONNECTIONS
