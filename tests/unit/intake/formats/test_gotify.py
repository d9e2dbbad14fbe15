"""Gotify: a title, a message and how loud it is, as JSON or as a form."""

import pytest

from app.domain.alert import Alert, Link, Severity
from app.intake.format import NotUnderstood
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming
from tests.support.multipart_body import CONTENT_TYPE, body_of, part
from tests.support.tool_payloads import document, read_all, read_one

NAME = "gotify"
MESSAGE = document("gotify")
LIMITS = SizeLimits(body=2**20, attachments=0)
EXPECTED = Alert(subject="Backup failed", content="rsync exit 23", severity=Severity.ERROR, source="gotify")


def test_message() -> None:
    """It is a one-shot."""
    assert read_one(NAME, MESSAGE) == EXPECTED


@pytest.mark.parametrize(
    ("priority", "severity"),
    [
        (0, Severity.INFO),
        (3, Severity.INFO),
        (4, Severity.WARNING),
        ("7", Severity.WARNING),
        (8, Severity.ERROR),
        (10, Severity.CRITICAL),
        (None, Severity.WARNING),
        ("wibble", Severity.WARNING),
    ],
)
def test_priority_is_the_severity(priority: object, severity: Severity) -> None:
    """As loud as the app would be."""
    assert read_one(NAME, MESSAGE | {"priority": priority}).severity is severity


def test_message_alone() -> None:
    """Its first line is the subject then."""
    assert read_one(NAME, {"message": "Backup failed\nexit 23"}).subject == "Backup failed"


def test_title_in_the_header() -> None:
    """`-H "Title: …"`, where the fields have none."""
    for body, subject in ((b"message=exit 23", "Backup failed"), (b"message=exit 23&title=Own", "Own")):
        posted = incoming(body, "application/x-www-form-urlencoded", title="Backup failed")
        (made,) = read_alerts(posted, LIMITS).alerts
        assert (made.subject, made.content, made.source) == (subject, "exit 23", "gotify")


def test_extras() -> None:
    """The click leads somewhere; what Gotify does not know either stays."""
    extras = {
        "client::notification": {"click": {"url": "https://backup.example.com"}},
        "client::display": {"contentType": "text/markdown"},
        "home::lights": {"on": True},
    }
    made = read_one(NAME, MESSAGE | {"extras": extras})
    assert made.links == (Link("https://backup.example.com"),)
    assert made.extra == {"home::lights": {"on": True}}


def test_forms() -> None:
    """`curl -F` and `curl -d` as in its documentation."""
    fields = [part(f"name={name}", str(value).encode()) for name, value in MESSAGE.items()]
    multipart = read_alerts(incoming(body_of(fields), CONTENT_TYPE), LIMITS)
    encoded = b"title=Backup+failed&message=rsync+exit+23&priority=8"
    urlencoded = read_alerts(incoming(encoded, "application/x-www-form-urlencoded"), LIMITS)
    assert multipart.alerts == urlencoded.alerts == (EXPECTED,)


def test_nothing_to_say_is_not_understood() -> None:
    """A priority alone is no message."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, {"message": "", "priority": 5})
