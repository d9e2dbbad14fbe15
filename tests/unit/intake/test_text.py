"""Plain text: never refused for its form; the whole of it arrives, or a note says what was cut."""

import pytest

from app.domain.alert import Alert, Severity, Status
from app.intake.incoming import Reading, Rejected
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming

LIMITS = SizeLimits(body=1 << 20, attachments=1 << 20)


def read(body: bytes, query: bytes = b"", title: bytes = b"", charset: str = "") -> Reading:
    content_type = f"text/plain; charset={charset}" if charset else "text/plain"
    return read_alerts(incoming(body, content_type, query, title=title), LIMITS)


def alert(body: bytes, query: bytes = b"", title: bytes = b"") -> Alert:
    return read(body, query, title).alerts[0]


def test_text_is_the_content_and_its_first_line_the_subject() -> None:
    """One line of shell makes a whole alert."""
    assert alert(b"\n  \nBackup failed \r\nexit 2\n") == Alert(
        subject="Backup failed", content="\n  \nBackup failed \nexit 2\n"
    )


@pytest.mark.parametrize(
    ("query", "title", "subject"),
    [
        pytest.param(b"subject=From+query", b"From title", "From query", id="query-first"),
        pytest.param(b"subject=gr%C3%B6%C3%9Fer%0D%0ABcc:x", b"", "größer Bcc:x", id="query-decoded-and-cleaned"),
        pytest.param(b"subject=+", b"From title", "From title", id="title-next"),
        pytest.param(b"", b" ", "First line", id="first-line-last"),
    ],
)
def test_subject_has_three_sources(query: bytes, title: bytes, subject: str) -> None:
    """The query, the Title header, the first line, in this order."""
    assert alert(b"First line\nsecond", query, title).subject == subject


def test_query_gives_the_rest() -> None:
    """Severity, status, source and key of a text come from the query."""
    made = alert(b"x", b"severity=Error&status=resolved&source=cron&key=k1&token=canary")

    assert (made.severity, made.status, made.source, made.key) == (Severity.ERROR, Status.RESOLVED, "cron", "k1")


@pytest.mark.parametrize("name", ["severity", "status"])
def test_wrong_choice_costs_a_warning_only(name: str) -> None:
    """A slip in a cron line must not lose the alert."""
    reading = read(b"x", f"{name}=canary".encode())

    assert reading.alerts == (Alert(subject="x", content="x"),)
    assert reading.warnings[0].startswith(f"{name} is none of")
    assert "canary" not in reading.warnings[0]


def test_long_first_line_is_shortened_and_stands_whole_in_the_content() -> None:
    """A log without line ends is still an alert."""
    reading = read(b"x" * 600)
    made = reading.alerts[0]

    assert made.subject == "x" * 499 + "…"
    assert made.content == "x" * 600
    assert made.notes == reading.warnings == ("The subject was shortened: it had 600 characters.",)


def test_long_content_is_cut_in_the_middle() -> None:
    """Begin and end of a log arrive, with a note and a warning."""
    reading = read(b"first line\n" + b"x" * 300_000 + b"\nlast line")
    made = reading.alerts[0]

    assert len(made.content.encode()) <= 256 * 1024
    assert made.content.startswith("first line\n")
    assert made.content.endswith("\nlast line")
    assert made.notes == reading.warnings == ("The content was cut in the middle: it had more than 262144 bytes.",)


@pytest.mark.parametrize("name", ["source", "key"])
def test_long_query_value_is_shortened_with_a_warning(name: str) -> None:
    """Not even this refuses a text."""
    reading = read(b"x", name.encode() + b"=" + b"v" * 1_000)

    assert reading.warnings[0].startswith(f"{name} was shortened")


def test_charset_is_honoured() -> None:
    """Text in the charset that its type names is read in it."""
    assert read("磁盘已满".encode("gb18030"), charset="gb18030").alerts[0].subject == "磁盘已满"


def test_bad_bytes_and_controls_stay_visible() -> None:
    """What cannot be read is shown and told, not dropped."""
    reading = read(b"a\xff\x00b")

    assert reading.alerts[0].content == "a\\xff\ufffdb"
    assert len(reading.warnings) == 2


@pytest.mark.parametrize("body", [b"", b" \r\n\t", b"\xc2\x85"], ids=["none", "blank", "control"])
def test_nothing_to_say_is_refused(body: bytes) -> None:
    """Without any text and subject there is no alert."""
    with pytest.raises(Rejected, match="empty") as caught:
        read(body)
    assert caught.value.problem.status == 422


def test_subject_alone_is_enough() -> None:
    """A body is not needed beside ?subject=."""
    assert alert(b"", b"subject=Backup+failed") == Alert(subject="Backup failed")
