"""A wall clock that jumps while the daemon runs, and while it does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.background_relay import background_relay
from tests.support.fake_time import FakeTime
from tests.support.fault_run import FaultRun
from tests.support.scripted_smtp import ScriptedSmtp

JUMPS = pytest.mark.parametrize("jump", ["-1d", "+1y"], ids=["back-a-day", "forward-a-year"])


@pytest.fixture
def time(tmp_path: Path) -> FakeTime:
    """The daemon's clock."""
    return FakeTime(tmp_path)


@pytest.fixture
def relay() -> Iterator[ScriptedSmtp]:
    """A relay that can be told to defer."""
    with background_relay() as running:
        yield running


@pytest.fixture
def run(tmp_path: Path, time: FakeTime, relay: ScriptedSmtp) -> Iterator[FaultRun]:
    """A run by that clock, with a retention and a lifetime that a jump would exceed."""
    made = FaultRun(tmp_path, relay.port, retention="1h", lifetime="1m")
    made.daemon.variables |= time.variables
    with made as running:
        yield running


@JUMPS
def test_while_it_runs(run: FaultRun, relay: ScriptedSmtp, time: FakeTime, jump: str) -> None:
    """Fault 19: a jump while mail waits expires none of it, and no retry waits longer."""
    relay.script("DOT", lambda _: "451 4.3.0 later")
    waiting = run.post("before the jump")
    run.wait_for(waiting, reply="451 4.3.0 later")
    time.jump(jump)
    later = run.post("after the jump")
    run.wait_for(later, reply="451 4.3.0 later")
    relay.script("DOT", None)
    run.settle()
    balance = run.close(relay.mails)
    assert (balance.delivered, balance.dead, balance.flagged) == (2, 0, 0)


@JUMPS
def test_while_it_is_down(run: FaultRun, relay: ScriptedSmtp, time: FakeTime, jump: str) -> None:
    """Fault 19: a jump between two runs expires nothing that waits, and holds nothing back."""
    relay.script("DOT", lambda _: "451 4.3.0 later")
    run.wait_for(run.post("before the jump"), reply="451 4.3.0 later")
    assert run.daemon.stop() == 0
    time.jump(jump)
    relay.script("DOT", None)
    run.daemon.start()
    run.post("after the jump")
    run.settle()
    balance = run.close(relay.mails)
    assert (balance.delivered, balance.dead, balance.flagged) == (2, 0, 0)


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
def test_nothing_is_pruned(run: FaultRun, relay: ScriptedSmtp, time: FakeTime, restart: bool) -> None:
    """Fault 19: what was sent a moment ago is still there after a jump forward, though it looks a year old."""
    sent = run.post("sent before the jump")
    run.settle()
    time.jump("+1y")
    if restart:
        run.crash()
    run.post("after the jump")
    run.settle()
    assert run.report(sent)["state"] == "sent"
    assert run.close(relay.mails).delivered == 2


def test_there_and_back(run: FaultRun, relay: ScriptedSmtp, time: FakeTime) -> None:
    """Fault 19: mail that was deferred under a clock a year ahead leaves when the clock is right again."""
    relay.script("DOT", lambda _: "451 4.3.0 later")
    time.jump("+1y")
    run.wait_for(run.post("in a year"), reply="451 4.3.0 later")
    time.jump("+0")
    run.crash()
    relay.script("DOT", None)
    run.settle()
    balance = run.close(relay.mails)
    assert (balance.delivered, balance.dead) == (1, 0)
