"""Handing in: an alert that was not taken lies in the spool before anything is waited for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli.client import ClientError, Daemon
from app.cli.ending import DENIED, REFUSED, TEMPORARY
from app.cli.handing_in import Accepted, HandedIn, Handover, Kept, NotTaken, in_words
from app.cli.native import spooled_alert
from app.cli.patience import Patience
from app.cli.spool import Spool, SpoolError
from app.domain.spooled import SpooledAlert

DOWN = ClientError("down", TEMPORARY)
ANSWER = {"id": "1"}


class ScriptedDaemon:
    """Answers in order; an error is raised."""

    def __init__(self, *answers: dict[str, str] | ClientError) -> None:
        self.answers = list(answers)
        self.posted: list[SpooledAlert] = []

    def post_alert(self, alert: SpooledAlert) -> dict[str, str]:
        self.posted.append(alert)
        answer = self.answers.pop(0)
        if isinstance(answer, ClientError):
            raise answer
        return answer


def hand_in(
    daemon: ScriptedDaemon, spool: Spool | SpoolError, *, on_pause: Callable[[], object] = lambda: None
) -> HandedIn:
    """Hand an alert with a file in; `on_pause` is called in each pause, of which the third is broken off."""
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        on_pause()
        pauses.append(seconds)
        return len(pauses) == 3

    document = {"subject": "s", "attachments": [{"name": "a", "content": ""}]}
    alert = spooled_alert(document, daemon=Daemon("http://127.0.0.1"))
    return Handover(daemon, spool, Patience(60, pause=pause)).hand_in(alert)  # type: ignore[arg-type]  # a fake


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, is_shared=False)


def test_what_is_taken_is_not_spooled(spool: Spool) -> None:
    """The daemon's answer comes back."""
    assert hand_in(ScriptedDaemon(ANSWER), spool) == Accepted(ANSWER)
    assert spool.files() == []


def test_it_lies_in_the_spool_while_the_command_waits(spool: Spool) -> None:
    """Whatever ends the command meanwhile loses nothing; once it is posted the file goes."""
    seen: list[int] = []
    daemon = ScriptedDaemon(DOWN, DOWN, ANSWER)
    assert hand_in(daemon, spool, on_pause=lambda: seen.append(len(spool.files()))) == Accepted(ANSWER)
    assert (seen, spool.files()) == ([1, 1], [])
    assert len({alert.key for alert in daemon.posted}) == 1


def test_it_stays_there_if_nobody_comes(spool: Spool) -> None:
    """The file and the reason are told."""
    outcome = hand_in(ScriptedDaemon(DOWN, DOWN, DOWN), spool)
    assert outcome == Kept(spool.files()[0], DOWN)
    assert "down" in in_words(outcome)


def test_a_daemon_that_took_it_out_of_the_spool_has_it(spool: Spool) -> None:
    """The shared spool is watched: the file is gone because its alert is durable."""
    outcome = hand_in(ScriptedDaemon(DOWN, DOWN, DOWN), spool, on_pause=lambda: [f.unlink() for f in spool.files()])
    assert outcome == Accepted({})


def test_a_wrong_token_is_not_waited_for(spool: Spool) -> None:
    """The alert is kept for the day when somebody has mended the token."""
    denied = ClientError("no", DENIED, status=401)
    assert hand_in(ScriptedDaemon(denied), spool) == Kept(spool.files()[0], denied)


@pytest.mark.parametrize("before", [[], [DOWN]], ids=["at once", "after a wait"])
def test_what_is_refused_is_not_kept(spool: Spool, before: list[ClientError]) -> None:
    """It would be refused again and again."""
    refused = ClientError("wrong", REFUSED, status=422)
    assert hand_in(ScriptedDaemon(*before, refused), spool) == NotTaken(refused)
    assert spool.files() == []


def test_what_is_too_large_goes_without_files(spool: Spool) -> None:
    """The text matters more."""
    daemon = ScriptedDaemon(ClientError("large", REFUSED, status=413), ANSWER)
    assert hand_in(daemon, spool) == Accepted(ANSWER)
    assert [b"attachments" in alert.body.partition(b"content")[0] for alert in daemon.posted] == [True, False]


def test_without_a_spool_both_reasons_are_told() -> None:
    """Neither the daemon nor the disk could take it."""
    outcome = hand_in(ScriptedDaemon(DOWN, DOWN, DOWN), SpoolError("no room"))
    assert outcome == NotTaken(DOWN, "no room")
    assert in_words(outcome) == "down\nmailalert: the spool cannot keep it: no room"
