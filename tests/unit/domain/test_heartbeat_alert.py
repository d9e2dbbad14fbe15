"""What people read about a heartbeat."""

from dataclasses import replace

import pytest

from app.domain.alert import Severity, Status
from app.domain.heartbeat import Pulse, PulseState
from app.domain.heartbeat_alert import Facts, heartbeat_alert
from app.domain.heartbeat_schedule import Cron
from app.domain.heartbeat_turns import Turn
from tests.support.clock import NOW
from tests.support.heartbeat_bench import BACKUP, DAY, HOUR, MINUTE, a_heartbeat

UP = Pulse(since=NOW, state=PulseState.UP, last_ping_at=NOW)
LATE = NOW + DAY + HOUR
OVERDUE = replace(UP, state=PulseState.OVERDUE, down_since=LATE)
FAILED = replace(UP, state=PulseState.FAILED, down_since=LATE, failures=1, exit_code=3, ran_for=90 * MINUTE)


def overdue(output: bytes = b"", before: Pulse = UP, after: Pulse = OVERDUE) -> Facts:
    """Return what is known when no ping came."""
    return Facts(heartbeat=BACKUP, before=before, after=after, now=LATE, output=output)


def test_an_overdue_one_tells_what_was_expected() -> None:
    """When the last ping came, what was agreed, and when it was due."""
    alert = heartbeat_alert(Turn.OVERDUE, overdue())
    assert (alert.subject, alert.status, alert.severity) == (
        "Heartbeat backup is overdue",
        Status.FIRING,
        Severity.ERROR,
    )
    assert alert.content == (
        "The last ping came at 2026-03-04 05:06:07 UTC.\n"
        "One is expected every 1d, and may be 1h late.\n"
        "So it was due at 2026-03-05 05:06:07 UTC."
    )
    assert (alert.source, alert.key, dict(alert.labels)) == ("heartbeat", "heartbeat/backup", {"heartbeat": "backup"})
    assert (alert.starts_at, alert.ends_at) == (LATE, None)


TOLD = {
    "never pinged": (replace(UP, last_ping_at=None), OVERDUE, "No ping has ever come; it is watched since 2026-03-04"),
    "never ended": (
        replace(UP, started_at=NOW + HOUR),
        OVERDUE,
        "It said at 2026-03-04 06:06:07 UTC that it starts, and not since then that it has ended.",
    ),
    "not heard": (UP, replace(OVERDUE, deaf_for=3 * HOUR), "For 3h of the time since then this daemon could not hear"),
}


@pytest.mark.parametrize(("before", "after", "sentence"), TOLD.values(), ids=TOLD.keys())
def test_what_may_explain_the_silence_is_told(before: Pulse, after: Pulse, sentence: str) -> None:
    """So that nobody looks for the fault in the wrong place."""
    assert sentence in heartbeat_alert(Turn.OVERDUE, overdue(before=before, after=after)).content


def test_cron_is_told_as_it_was_written() -> None:
    """With its zone."""
    nightly = a_heartbeat(schedule=Cron("0 3 * * *", "Europe/Berlin"))
    content = heartbeat_alert(Turn.OVERDUE, replace(overdue(), heartbeat=nightly)).content
    assert 'One is expected by cron "0 3 * * *" in Europe/Berlin, and may be 1h late.' in content


def test_a_failure_tells_the_exit_code() -> None:
    """In the subject, with how long the run took in the text."""
    alert = heartbeat_alert(Turn.FAILED, overdue(before=OVERDUE, after=FAILED))
    assert alert.subject == "Heartbeat backup reported failure, exit code 3"
    assert "It ran for 1h 30m." in alert.content
    assert "It had been overdue since 2026-03-05 06:06:07 UTC." in alert.content


def test_the_resolved_twin_shares_what_identifies_it() -> None:
    """Subject, key, severity and beginning; it tells how long it was down, and how often it failed."""
    firing = heartbeat_alert(Turn.FAILED, overdue(after=FAILED))
    facts = overdue(before=replace(FAILED, failures=4), after=replace(UP, exit_code=0))
    resolved = heartbeat_alert(Turn.RECOVERED, replace(facts, now=LATE + 26 * HOUR))
    assert (resolved.status, resolved.ends_at) == (Status.RESOLVED, LATE + 26 * HOUR)
    for name in ("subject", "key", "severity", "starts_at", "labels"):
        assert getattr(resolved, name) == getattr(firing, name)
    assert "It was down for 1d 2h.\nMeanwhile it reported 4 failures.\nIts exit code was 0." in resolved.content


def test_the_output_is_attached_and_its_end_shown() -> None:
    """Of a long one the last 20 lines stand in the text, and what is no text harms nothing."""
    output = b"\xff\0first\n" + b"".join(b"line %d\r\n" % number for number in range(30))
    alert = heartbeat_alert(Turn.OVERDUE, overdue(output))
    (file,) = alert.attachments
    assert (file.name, file.content_type, file.data) == ("output.txt", "text/plain", output)
    shown = alert.content.partition("The last that it said:\n\n")[2].split("\n")
    assert shown == [f"line {number}" for number in range(10, 30)]


def test_without_output_nothing_is_attached() -> None:
    """Most pings bring nothing along."""
    alert = heartbeat_alert(Turn.OVERDUE, overdue())
    assert alert.attachments == ()
    assert "said:" not in alert.content


@pytest.mark.parametrize(("receiver", "receivers"), [("", ()), ("dba", ("dba",))], ids=["by the routes", "by name"])
def test_its_receiver_gets_it(receiver: str, receivers: tuple[str, ...]) -> None:
    """The one of the settings, else whom the routes lead to."""
    facts = replace(overdue(), heartbeat=a_heartbeat(receiver=receiver, severity=Severity.CRITICAL))
    alert = heartbeat_alert(Turn.OVERDUE, facts)
    assert (alert.receivers, alert.severity) == (receivers, Severity.CRITICAL)
