"""GoAlert's generic API: JSON, form and query are the same, and `close` ends what `dedup` names."""

import pytest

from app.domain.alert import Alert, Severity, Status
from app.intake.format import NotUnderstood
from app.intake.incoming import IncomingBody
from app.intake.reading import read_alerts
from app.intake.registry import recognise
from app.intake.sizes import SizeLimits
from tests.support.tool_payloads import document, payload_of, read_all, read_one

NAME = "goalert"
FIRING = document("goalert")
RESOLVED = document("goalert-resolved")
LIMITS = SizeLimits(body=2**20, attachments=0)
FORM = b"application/x-www-form-urlencoded"


def posted(body: bytes, query: bytes = b"") -> tuple[Alert, ...]:
    return read_alerts(IncomingBody(body, {b"content-type": FORM}, query), LIMITS).alerts


def test_firing_alert() -> None:
    """Summary, details and dedup have their place."""
    assert read_one(NAME, FIRING) == Alert(
        subject="Disk full on db1",
        content="/var is 97% full",
        severity=Severity.WARNING,
        source="goalert",
        key="goalert/disk-db1",
        severity_is_assumed=True,
    )


def test_closed_alert() -> None:
    """`close` resolves the alert of the same dedup."""
    firing, resolved = read_one(NAME, FIRING), read_one(NAME, RESOLVED)
    assert (resolved.status, resolved.key, resolved.subject) == (Status.RESOLVED, firing.key, firing.subject)


def test_alert_without_dedup_is_a_one_shot() -> None:
    """Two equal summaries are two mails."""
    assert read_one(NAME, {"summary": "Disk full"}).key == ""


def test_form() -> None:
    """A form makes the same alert as JSON."""
    body = b"summary=Disk+full+on+db1&details=%2Fvar+is+97%25+full&dedup=disk-db1"
    assert posted(body) == (read_one(NAME, FIRING),)


def test_closing_needs_no_summary() -> None:
    """As JSON, as a form and in the query, the dedup alone says what is over."""
    closed = (
        read_one(NAME, {"token": "k", "dedup": "disk-db1", "action": "close"}),
        *posted(b"dedup=disk-db1&action=close"),
        *posted(b"", b"dedup=disk-db1&action=close"),
    )
    assert {(alert.subject, alert.status, alert.key) for alert in closed} == {
        ("disk-db1", Status.RESOLVED, "goalert/disk-db1")
    }
    known = recognise(payload_of({"dedup": "disk-db1", "action": "close"}))
    assert known is not None
    assert known.name == NAME


def test_query() -> None:
    """`curl -XPOST '…?summary=test&action=close'`, as the documentation has it, needs no body."""
    (alert,) = posted(b"", b"token=x&summary=Disk+full&dedup=disk-db1&action=close")
    assert (alert.subject, alert.status, alert.key) == ("Disk full", Status.RESOLVED, "goalert/disk-db1")


def test_token_is_never_shown() -> None:
    """The key of an integration is a secret."""
    assert "hush" not in str(read_one(NAME, {**FIRING, "token": "hush"}))


def test_meta_of_json() -> None:
    """What else the sender wants people to know is shown."""
    assert read_one(NAME, {**FIRING, "meta": {"team": "blue"}}).extra == {"team": "blue"}


def test_meta_of_a_form() -> None:
    """There each is one NAME=VALUE."""
    (alert,) = posted(b"summary=Disk+full&meta=team=blue&meta=zone=a")
    assert alert.extra == {"team": "blue", "zone": "a"}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"summary": "a", "subject": "b"}, id="native"),
        pytest.param({"summary": "a", "severity": "critical"}, id="another-field"),
        pytest.param({"summary": ["a"]}, id="list"),
        pytest.param({"details": "a"}, id="no-summary"),
        pytest.param({"dedup": "a"}, id="dedup-alone"),
        pytest.param({"dedup": 1, "action": "close"}, id="dedup-that-is-no-text"),
    ],
)
def test_not_goalert(value: object) -> None:
    """What only looks a little like it is left to others."""
    known = recognise(payload_of(value))
    assert known is None or known.name != NAME


@pytest.mark.parametrize("value", [{}, [], {"details": "x"}], ids=repr)
def test_nothing_to_tell(value: object) -> None:
    """It is not understood, so that it is mailed as it came."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, value)
