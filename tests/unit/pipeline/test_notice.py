"""The startup notice: said once, and true."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.domain.alert import Severity
from app.domain.runs import PreviousRuns
from app.pipeline.notice import QUIET_AFTER_UNCLEAN, StartFacts, should_notify, startup_notice
from tests.support.clock import NOW

FIRST = PreviousRuns(any=False, ended_cleanly=True, last_notice_at=None, unannounced=0)
CLEAN = PreviousRuns(any=True, ended_cleanly=True, last_notice_at=NOW, unannounced=0)
CRASHED = replace(CLEAN, ended_cleanly=False)
SECOND = timedelta(seconds=1)

STARTS = {
    "the first ever": (FIRST, NOW, True),
    "at once after a clean end": (CLEAN, NOW, True),
    "at once after a crash": (CRASHED, NOW, False),
    "10 minutes but a second after a crash": (CRASHED, NOW + QUIET_AFTER_UNCLEAN - SECOND, False),
    "10 minutes after a crash": (CRASHED, NOW + QUIET_AFTER_UNCLEAN, True),
    "crashed before any notice": (replace(CRASHED, last_notice_at=None), NOW, True),
    "the clock stepped back": (CRASHED, NOW - SECOND, True),
}


@pytest.mark.parametrize(("before", "at", "expected"), STARTS.values(), ids=STARTS.keys())
def test_a_restart_loop_does_not_flood(before: PreviousRuns, at: datetime, expected: bool) -> None:
    """After an unclean end there is at most one notice in 10 minutes; after a clean one always."""
    assert should_notify(before, at) is expected


def facts(before: PreviousRuns = CLEAN, *, recovered: int = 0, possibly_twice: int = 0) -> StartFacts:
    """Return the facts of a start."""
    return StartFacts(
        version="1.2.3",
        host="web1.example",
        at=NOW,
        recovered=recovered,
        possibly_twice=possibly_twice,
        before=before,
    )


def test_the_notice_says_what_runs() -> None:
    """Under the subject that it always had, with version, host and time."""
    notice = startup_notice(facts())
    assert (notice.subject, notice.severity) == ("Mail Alert System started", Severity.INFO)
    assert notice.content.startswith("You have started Mail Alert System.\n")
    assert all(line in notice.content.splitlines() for line in ["Version: 1.2.3", "Host: web1.example"])
    assert "Time: 2026-03-04 05:06:07 UTC" in notice.content


def test_the_notice_is_no_alert_to_follow() -> None:
    """It has neither key nor labels, so it is always mailed."""
    notice = startup_notice(facts())
    assert (notice.key, dict(notice.labels)) == ("", {})


@pytest.mark.parametrize(
    ("before", "said"),
    [(FIRST, "the journal is new"), (CLEAN, "ended cleanly."), (CRASHED, "did not end cleanly")],
    ids=["first", "clean", "crashed"],
)
def test_the_notice_tells_how_the_last_run_ended(before: PreviousRuns, said: str) -> None:
    """A crash in the night is seen in the morning."""
    (line,) = [line for line in startup_notice(facts(before)).content.splitlines() if line.startswith("Last run: ")]
    assert said in line


@pytest.mark.parametrize(
    ("recovered", "said"),
    [(0, "nothing, no mail was waiting."), (1, "1 unsent mail, being"), (2, "2 unsent mails, being")],
)
def test_the_notice_tells_what_was_recovered(recovered: int, said: str) -> None:
    """What an earlier run left is counted."""
    assert f"Recovered from the journal: {said}" in startup_notice(facts(recovered=recovered)).content


def test_the_notice_counts_the_starts_between() -> None:
    """A restart loop is told of by the notice after it."""
    said = "Starts since the last notice, not announced: 41"
    assert said in startup_notice(facts(replace(CRASHED, unannounced=41))).content
    assert "not announced" not in startup_notice(facts()).content


def test_the_notice_tells_what_may_come_twice() -> None:
    """Mails that were under way at a crash are counted; where there are none nothing is said."""
    assert "Possibly sent twice: 3, which" in startup_notice(facts(CRASHED, possibly_twice=3)).content
    assert "twice" not in startup_notice(facts(CRASHED)).content
