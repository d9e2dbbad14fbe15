"""The client: which token it shows, and what it makes of answers that are none of our daemon."""

from pathlib import Path

import pytest

from app.cli.client import ClientError, Daemon, read_token
from app.cli.ending import DENIED, PROTOCOL, REFUSED, TEMPORARY
from tests.support.scripted_daemon import INVALID, scripted_daemon

PLAIN = {"Content-Type": "application/json"}


def refusal(*answer: object) -> ClientError:
    """Return what comes of a post that is answered so."""
    with scripted_daemon(answer) as daemon, pytest.raises(ClientError) as caught:
        Daemon(daemon.url).post("/alerts/native", {}, wants="id")
    return caught.value


@pytest.mark.parametrize(
    ("answer", "code", "is_final"),
    [
        ((422, {"type": INVALID}), REFUSED, True),
        ((422, {"detail": "of another service"}), REFUSED, False),
        ((404, {"detail": "Not Found"}), REFUSED, False),
        ((404, {"detail": "Not Found"}, PLAIN), PROTOCOL, False),
        ((400, {"errors": {"x": ["of another shape"]}}), REFUSED, False),
        ((400, {"errors": ["x", {"pointer": 1}]}), REFUSED, False),
        ((403, {"detail": "no"}), DENIED, False),
        ((500, b"[" * 100_000), TEMPORARY, False),
    ],
    ids=["ours", "other 422", "404", "plain 404", "errors of another shape", "odd errors", "denied", "deep"],
)
def test_only_our_daemon_refuses_for_good(answer: tuple[object, ...], code: int, is_final: bool) -> None:
    """What any other service says must not cost an alert."""
    error = refusal(*answer)
    assert (error.code, error.is_final) == (code, is_final)


@pytest.mark.parametrize("says", ["yes", "no", None])
def test_a_ping_tells_whether_it_raised_an_alert(says: str | None) -> None:
    """A daemon that says nothing of it has told nobody."""
    with scripted_daemon((200, b"OK", {"Alert-Raised": says} if says else {})) as daemon:
        assert Daemon(daemon.url).ping("/heartbeats/x/1") is (says == "yes")


def forbid(_file: object) -> bool:
    raise PermissionError


def homeless(_file: object) -> Path:
    raise RuntimeError


@pytest.mark.parametrize(("method", "trouble"), [("exists", forbid), ("expanduser", homeless)])
def test_whoever_has_no_usable_home_has_no_token(monkeypatch: pytest.MonkeyPatch, method: str, trouble: object) -> None:
    """A job of a user without a home, or with one that is closed, runs all the same."""
    monkeypatch.delenv("MAILALERT_TOKEN_FILE", raising=False)
    monkeypatch.setattr(Path, method, trouble)
    assert read_token() == ""
