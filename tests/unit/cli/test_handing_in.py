"""Handing in: an alert that was not taken lies in the spool before anything is waited for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import spool as spool_module
from app.cli.client import ClientError, Daemon
from app.cli.ending import DENIED, PROTOCOL, REFUSED, TEMPORARY
from app.cli.handing_in import Accepted, HandedIn, Handover, Kept, NotTaken, in_words
from app.cli.held_file import SpoolError
from app.cli.native import spooled_alert
from app.cli.patience import Patience
from app.cli.spool import Spool, read_spooled
from app.domain.spooled import SpooledAlert

DOWN = ClientError("down", TEMPORARY)
ANSWER = {"id": "1"}


class ScriptedDaemon:
    """Answers in order; an error is raised."""

    def __init__(self, *answers: dict[str, str] | ClientError, on_post: Callable[[], object] = lambda: None) -> None:
        self.answers = list(answers)
        self.on_post = on_post
        self.posted: list[SpooledAlert] = []

    def post_alert(self, alert: SpooledAlert) -> dict[str, str]:
        self.posted.append(alert)
        self.on_post()
        answer = self.answers.pop(0)
        if isinstance(answer, ClientError):
            raise answer
        return answer


def hand_in(
    daemon: ScriptedDaemon,
    spool: Spool | SpoolError,
    *,
    on_pause: Callable[[], object] = lambda: None,
    content: str = "",
    file: str = "",
) -> HandedIn:
    """Hand an alert with a file in; `on_pause` is called in each pause, of which the third is broken off."""
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        on_pause()
        pauses.append(seconds)
        return len(pauses) == 3

    document = {"subject": "s", "content": content, "attachments": [{"name": "a", "content": file}]}
    alert = spooled_alert(document, daemon=Daemon("http://127.0.0.1"))
    with Handover(alert, daemon=daemon, spool=spool) as handover:
        return handover.hand_in(Patience(60, pause=pause))


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
    refused = ClientError("wrong", REFUSED, status=422, is_final=True)
    assert hand_in(ScriptedDaemon(*before, refused), spool) == NotTaken(refused)
    assert spool.files() == []


def test_what_is_too_large_goes_without_files(spool: Spool) -> None:
    """The text matters more."""
    daemon = ScriptedDaemon(ClientError("large", REFUSED, status=413), ANSWER)
    assert hand_in(daemon, spool) == Accepted(ANSWER)
    assert [b'"attachments"' in alert.body for alert in daemon.posted] == [True, False]


def test_what_is_still_too_large_goes_with_a_shorter_text(spool: Spool) -> None:
    """A daemon with a small limit gets what fits, under the same key."""
    large = ClientError("large", REFUSED, status=413)
    daemon = ScriptedDaemon(large, large, ANSWER)
    assert hand_in(daemon, spool, content="x" * 100_000) == Accepted(ANSWER)
    assert len(daemon.posted[2].body) < 33 << 10
    assert len({alert.key for alert in daemon.posted}) == 1


def test_what_is_too_large_in_any_form_is_kept(spool: Spool) -> None:
    """Somebody may raise the limit."""
    large = ClientError("large", REFUSED, status=413)
    assert hand_in(ScriptedDaemon(large, large), spool) == Kept(spool.files()[0], large)


@pytest.mark.parametrize("code", [REFUSED, PROTOCOL])
def test_what_another_service_says_does_not_cost_the_alert(spool: Spool, code: int) -> None:
    """A wrong address, or a proxy in front of the daemon."""
    error = ClientError("not found", code, status=404)
    assert hand_in(ScriptedDaemon(error), spool) == Kept(spool.files()[0], error)


def test_it_is_in_the_spool_before_it_is_posted(spool: Spool) -> None:
    """And nobody takes it from there meanwhile."""
    seen: list[SpooledAlert | None] = []
    daemon = ScriptedDaemon(ANSWER, on_post=lambda: seen.extend(map(read_spooled, spool.files())))
    hand_in(daemon, spool)
    assert (seen, spool.files()) == ([None], [])


def test_a_spool_that_is_nearly_full_keeps_the_text(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the log it still fits."""
    monkeypatch.setattr(spool_module, "MAX_BYTES", 900)
    outcome = hand_in(ScriptedDaemon(DOWN, DOWN, DOWN), spool, file="x" * 1_000)
    assert outcome == Kept(spool.files()[0], DOWN)
    alert = read_spooled(spool.files()[0])
    assert alert is not None
    assert b"attachments were left out" in alert.body


def test_without_a_spool_both_reasons_are_told() -> None:
    """Neither the daemon nor the disk could take it."""
    outcome = hand_in(ScriptedDaemon(DOWN, DOWN, DOWN), SpoolError("no room"))
    assert outcome == NotTaken(DOWN, "no room")
    assert in_words(outcome) == "down\nmailalert: the spool cannot keep it: no room"
