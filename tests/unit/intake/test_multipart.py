"""Forms with files: the fields as in any form, the files as attachments."""

import pytest

from app.domain.alert import Alert, Link, Severity
from app.domain.attachment import Attachment
from app.intake.attachments import UNKNOWN_TYPE
from app.intake.incoming import Reading, Rejected
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming
from tests.support.multipart_body import CONTENT_TYPE, body_of, form_with_file, part

LIMITS = SizeLimits(body=1 << 20, attachments=1 << 20)
SUBJECT = part('name="subject"', b"Disk full")


def read(*parts: bytes) -> Reading:
    return read_alerts(incoming(body_of(parts), CONTENT_TYPE), LIMITS)


def attachments(*parts: bytes) -> tuple[Attachment, ...]:
    return read(SUBJECT, *parts).alerts[0].attachments


def test_what_curl_sends_is_an_alert_with_its_file() -> None:
    """`curl -F subject=Hi -F file=@log.gz`."""
    (alert,) = read_alerts(incoming(form_with_file("Hi", "log.gz", b"\x1f\x8b"), CONTENT_TYPE), LIMITS).alerts

    assert alert == Alert(
        subject="Hi",
        attachments=(
            Attachment(name="log.gz", content_type="application/octet-stream", size_bytes=2, data=b"\x1f\x8b"),
        ),
    )


def test_fields_are_those_of_a_form() -> None:
    """Labels and links go by the names that they have in a form."""
    (alert,) = read(
        SUBJECT,
        part('name="content"', b"a\r\nb"),
        part('name="severity"', b" Error "),
        part('name="labels.host"', b"web1"),
        part('name="links"', b"https://h/1"),
        part('name="source"', b""),
    ).alerts

    assert alert == Alert(
        subject="Disk full",
        content="a\nb",
        severity=Severity.ERROR,
        labels={"host": "web1"},
        links=(Link("https://h/1"),),
    )


def test_charset_of_a_field_is_honoured() -> None:
    """RFC 7578 section 4.5: a text may name its charset."""
    (alert,) = read(part('name="subject"', b"gr\xf6\xdfer", "Content-Type: text/plain; charset=iso-8859-1")).alerts
    assert alert.subject == "größer"


def test_bytes_that_are_no_text_are_told() -> None:
    """A field that is repaired costs a warning, not the alert."""
    reading = read(part('name="subject"', b"caf\xe9"))
    assert (reading.alerts[0].subject, len(reading.warnings)) == ("caf\\xe9", 1)


def test_every_file_is_attached_whatever_its_field_is_called() -> None:
    """Several files under one name, as from one field of a page, all arrive."""
    kept = attachments(*(part(f'name="{name}"; filename="a.txt"', b"x") for name in ("file", "file", "subject")))
    assert [attachment.name for attachment in kept] == ["a.txt", "a-2.txt", "a-3.txt"]


@pytest.mark.parametrize(
    ("disposition", "data", "expected"),
    [
        ('name="file"; filename=""', b"", []),
        ('name="file"; filename=""', b"x", ["attachment-1"]),
        ('name="file"; filename="empty"', b"", ["empty"]),
    ],
    ids=["nothing chosen", "nameless", "empty file"],
)
def test_an_empty_file_is_attached_if_it_has_a_name(disposition: str, data: bytes, expected: list[str]) -> None:
    """A browser sends a part without name and data where nobody has chosen a file."""
    assert [attachment.name for attachment in attachments(part(disposition, data))] == expected


def test_a_content_type_that_was_not_kept_is_told() -> None:
    """The warnings of the files come with those of the fields."""
    reading = read(SUBJECT, part("name=f; filename=x", b"", "Content-Type: nonsense"), part('name="host"', b"web1"))
    assert reading.warnings == ("unknown fields, kept and shown below the text: host", UNKNOWN_TYPE)


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        pytest.param([part("name=subject", b"")], "/subject", id="no-subject"),
        pytest.param([SUBJECT, part("name=severity", b"bad")], "/severity", id="severity"),
        pytest.param([SUBJECT, part("name=attachments", b"text")], "/attachments", id="attachments-as-text"),
        pytest.param([SUBJECT, *[part("name=f; filename=x", b"x")] * 21], "/attachments", id="many-files"),
    ],
)
def test_wrong_field_is_named(parts: list[bytes], pointer: str) -> None:
    """A fault is refused as in JSON, with its place."""
    with pytest.raises(Rejected) as caught:
        read(*parts)
    assert caught.value.problem.status == 422
    assert [error.pointer for error in caught.value.problem.errors] == [pointer]


def test_a_file_alone_is_mailed() -> None:
    """`curl -F file=@log` has no subject, and loses nothing."""
    reading = read(part("name=file; filename=df.txt", b"full"))
    assert [file.data for file in reading.alerts[0].attachments] == [b"full"]
