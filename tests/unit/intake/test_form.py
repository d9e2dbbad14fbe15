"""Forms: native fields by name, and what is no form though it looks like one."""

import pytest

from app.domain.alert import Alert, Link, Severity
from app.intake.formats import form
from app.intake.incoming import Reading, Rejected
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming

CURL = "application/x-www-form-urlencoded"
LIMITS = SizeLimits(body=1 << 20, attachments=0)


def read(body: bytes, charset: str = "utf-8") -> Reading:
    return read_alerts(incoming(body, f"{CURL}; charset={charset}"), LIMITS)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"subject=x", True, id="subject"),
        pytest.param(b"severity=error&content=x", True, id="content-later"),
        pytest.param(b"\xef\xbb\xbfsubject=x", True, id="after-a-byte-order-mark"),
        pytest.param(b"subject=x&content=a & b\nc", True, id="raw-content"),
        pytest.param(b"foo%5Bbar%5D=1&subject=x", True, id="behind-an-escaped-name"),
        pytest.param("Größe=3&subject=x".encode(), True, id="behind-a-name-in-unicode"),
        pytest.param(b"a=1&b=2", False, id="other-fields"),
        pytest.param(b"subject", False, id="no-value"),
        pytest.param(b"the subject=x", False, id="part-of-a-word"),
        pytest.param(b"GET /item?id=7&content=x", False, id="url-in-a-log"),
        pytest.param(b"a=1&" * 2_000 + b"subject=x", False, id="more-fields-than-anybody-sends"),
    ],
)
def test_form_is_told_from_text(body: bytes, expected: bool) -> None:
    """A form has `subject` or `content` as a field; a log line that mentions one has not."""
    assert form.is_form(body) is expected


def test_fields_arrive_decoded() -> None:
    """Escapes and plus signs mean what they mean in a form."""
    reading = read(
        b"subject=Disk+full+%3E+90%25&content=a%26b%0D%0Ac&severity=error"
        b"&labels.host=web1&labels.n=&links=https://h/1&links=https://h/2&source="
    )

    assert reading.alerts == (
        Alert(
            subject="Disk full > 90%",
            content="a&b\nc",
            severity=Severity.ERROR,
            labels={"host": "web1", "n": ""},
            links=(Link("https://h/1"), Link("https://h/2")),
        ),
    )
    assert reading.warnings == ()


def test_charset_of_the_form_is_honoured() -> None:
    """Escaped bytes are in the charset that the type names."""
    assert read(b"subject=gr%F6%DFer", "iso-8859-1").alerts[0].subject == "größer"


def test_unknown_field_is_kept() -> None:
    """Forms keep what they do not know, as JSON does."""
    reading = read(b"subject=x&host=web1")

    assert reading.alerts[0].extra == {"host": "web1"}
    assert "host" in reading.warnings[0]


def test_repeated_field_is_told() -> None:
    """Nothing is overwritten in silence."""
    reading = read(b"subject=a&subject=b")

    assert reading.alerts[0].subject == "b"
    assert reading.warnings == ("subject came more than once; the last one counts",)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param(b"content=x", "/subject", id="no-subject"),
        pytest.param(b"subject=x&severity=bad", "/severity", id="severity"),
        pytest.param(b"subject=x&labels.=v", "/labels/", id="label-without-name"),
    ],
)
def test_wrong_field_is_refused_as_in_json(body: bytes, pointer: str) -> None:
    """A form is native: its faults are named."""
    with pytest.raises(Rejected) as caught:
        read(body)
    assert [error.pointer for error in caught.value.problem.errors] == [pointer]
