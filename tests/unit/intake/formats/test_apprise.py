"""Apprise: what its API takes, and what its own notifications by JSON and form send."""

import pytest

from app.domain.alert import Alert, Severity
from app.intake.format import NotUnderstood
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming
from tests.support.tool_payloads import document, read_all, read_one

NAME = "apprise"
MESSAGE = document("apprise")
SENT_BY_IT = document("apprise-json")


def test_message() -> None:
    """It is a one-shot."""
    assert read_one(NAME, MESSAGE) == Alert(
        subject="Backup failed",
        content="rsync exit 23",
        severity=Severity.ERROR,
        source="apprise",
        extra={"tag": "ops"},
    )


def test_message_of_its_json_notification() -> None:
    """There the text is called `message`, and files stand in it."""
    made = read_one(NAME, SENT_BY_IT)
    assert (made.subject, made.content, made.severity) == ("Backup failed", "rsync exit 23", Severity.WARNING)
    assert [(file.name, file.content_type, file.data) for file in made.attachments] == [
        ("backup.log", "text/plain", b"rsync: error\n")
    ]


@pytest.mark.parametrize(
    ("kind", "severity"),
    [
        ("info", Severity.INFO),
        ("success", Severity.INFO),
        ("warning", Severity.WARNING),
        ("failure", Severity.ERROR),
        ("", Severity.WARNING),
    ],
)
def test_type_is_the_severity(kind: str, severity: Severity) -> None:
    """There are four."""
    assert read_one(NAME, MESSAGE | {"type": kind}).severity is severity


def test_form() -> None:
    """Its API takes one too."""
    body = b"title=Backup+failed&body=rsync+exit+23&type=failure&tag=ops"
    reading = read_alerts(incoming(body, "application/x-www-form-urlencoded"), SizeLimits(body=2**20, attachments=0))
    assert reading.alerts == (read_one(NAME, MESSAGE),)


def test_title_in_the_header() -> None:
    """`-H "Title: …"`, where the fields have none."""
    posted = incoming(b"body=exit 23", "application/x-www-form-urlencoded", title="Backup failed")
    (made,) = read_alerts(posted, SizeLimits(body=2**20, attachments=0)).alerts
    assert (made.subject, made.content, made.source) == ("Backup failed", "exit 23", "apprise")


def test_attachment_by_its_url_is_a_link() -> None:
    """Nothing is fetched."""
    made = read_one(NAME, MESSAGE | {"attachment": "https://backup.example.com/log"})
    assert [link.url for link in made.links] == ["https://backup.example.com/log"]


def test_attachment_that_is_no_base64_comes_as_it_was_written() -> None:
    """It is not lost."""
    made = read_one(NAME, MESSAGE | {"attachments": [{"filename": "a", "base64": "!"}]})
    assert [file.data for file in made.attachments] == [b"!"]


def test_nothing_to_say_is_not_understood() -> None:
    """A type alone is no message."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, {"type": "info", "body": ""})
