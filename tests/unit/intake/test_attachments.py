"""What becomes of the names and content types of files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.attachment import Attachment
from app.intake.attachments import MAX_NAME, MAX_NAME_BYTES, UNKNOWN_TYPE, Upload, attach, warnings_of


def attached(name: str, content_type: str = "") -> Attachment:
    (attachment,) = attach([Upload(name, content_type, b"x")])
    return attachment


def names(*given_names: str) -> list[str]:
    return [attachment.name for attachment in attach(Upload(name, "", b"") for name in given_names)]


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        pytest.param("log.gz", "log.gz", id="plain"),
        pytest.param("/var/log/sys log", "sys log", id="path"),
        pytest.param("../../etc/passwd", "passwd", id="path-upwards"),
        pytest.param(r"C:\logs\app.log", "app.log", id="windows-path"),
        pytest.param("a/b\\c.txt", "c.txt", id="both-separators"),
        pytest.param("", "attachment-1", id="nothing"),
        pytest.param(" \t ", "attachment-1", id="blank"),
        pytest.param("logs/", "attachment-1", id="folder"),
        pytest.param("..", "attachment-1", id="dots"),
        pytest.param(".bashrc", ".bashrc", id="hidden"),
        pytest.param("a\r\nBcc: e@evil.txt", "a Bcc: e@evil.txt", id="header-injection"),
        pytest.param("a\0b.txt", "a b.txt", id="NUL"),
        pytest.param("Größe 磁.txt", "Größe 磁.txt", id="unicode"),
        pytest.param("\ud800.txt", "\ufffd.txt", id="lone-surrogate"),
        pytest.param("con.txt", "con.txt", id="device"),
        pytest.param("n" * 300 + ".tar.gz", "n" * 197 + ".gz", id="long"),
        pytest.param("磁" * 100 + ".log", "磁" * 83 + ".log", id="long-in-bytes"),
        pytest.param("a." + "b" * 300, "a." + "b" * 198, id="long-suffix"),
    ],
)
def test_name_is_one_that_every_system_can_keep(given_name: str, kept: str) -> None:
    """No path, no control character, no more than a file system takes, and the suffix is kept."""
    assert attached(given_name).name == kept


@pytest.mark.parametrize(
    ("given_names", "kept"),
    [
        (["a.log", "a.log", "a.log"], ["a.log", "a-2.log", "a-3.log"]),
        (["a.log", "A.LOG"], ["a.log", "A-2.LOG"]),
        (["a.log", "a-2.log", "a.log"], ["a.log", "a-2.log", "a-3.log"]),
        (["", "attachment-1", ""], ["attachment-1", "attachment-1-2", "attachment-3"]),
        (["n" * 300 + ".gz"] * 2, ["n" * 197 + ".gz", "n" * 195 + "-2.gz"]),
    ],
    ids=["thrice", "other case", "number taken", "unnamed", "long"],
)
def test_names_are_told_apart(given_names: list[str], kept: list[str]) -> None:
    """Saving all attachments of a mail into one folder overwrites none of them."""
    assert names(*given_names) == kept


@given(st.lists(st.text(st.characters(), max_size=300) | st.sampled_from(["a", "A", "../a", "a-2"]), max_size=20))
def test_any_names_come_out_clean(given_names: list[str]) -> None:
    """Whatever the names are, what comes out is distinct, short, on one line and without a path."""
    kept = names(*given_names)

    assert len({name.casefold() for name in kept}) == len(given_names)
    for name in kept:
        assert name not in {"", ".", ".."}
        assert len(name) <= MAX_NAME
        assert len(name.encode()) <= MAX_NAME_BYTES
        assert len(name.splitlines()) == 1
        assert not {"/", "\\", "\0"} & set(name)


@pytest.mark.parametrize(
    ("name", "content_type", "kept"),
    [
        pytest.param("x", "application/gzip", "application/gzip", id="given"),
        pytest.param("x", "Text/CSV", "text/csv", id="upper-case"),
        pytest.param("x", "text/plain; charset=utf-8", "text/plain", id="parameters"),
        pytest.param("x.txt", "image/svg+xml", "image/svg+xml", id="outweighs-the-name"),
        pytest.param("x.TXT", "", "text/plain", id="guessed"),
        pytest.param("app.log", " ", "text/plain", id="guessed-log"),
        pytest.param("a.log.gz", "", "application/gzip", id="guessed-compressed"),
        pytest.param("a.tar.xz", "", "application/octet-stream", id="guessed-unregistered"),
        pytest.param("core", "", "application/octet-stream", id="no-suffix"),
        pytest.param("mail.eml", "", "application/octet-stream", id="guessed-composite"),
        pytest.param("data:a b;base64,x", "", "application/octet-stream", id="name-like-a-data-URL"),
        pytest.param("x.txt", "text", "application/octet-stream", id="no-subtype"),
        pytest.param("x", "text/plain\r\nBcc: e@evil", "application/octet-stream", id="header-injection"),
        pytest.param("x", "multipart/mixed", "application/octet-stream", id="multipart"),
        pytest.param("x", "message/rfc822", "application/octet-stream", id="message"),
        pytest.param("x", "a/" + "b" * 128, "application/octet-stream", id="long"),
    ],
)
def test_content_type_is_one_that_a_part_can_have(name: str, content_type: str, kept: str) -> None:
    """A media type in lower case (RFC 6838), never one of the types that may not be base64 (RFC 2045)."""
    assert attached(name, content_type).content_type == kept


@pytest.mark.parametrize(
    ("content_type", "warnings"),
    [("", ()), ("text/plain; charset=x", ()), ("nonsense", (UNKNOWN_TYPE,)), ("message/rfc822", (UNKNOWN_TYPE,))],
)
def test_a_type_that_was_replaced_is_told(content_type: str, warnings: tuple[str, ...]) -> None:
    """Guessing where nothing was said is no news; what was said and not kept is."""
    assert warnings_of([Upload("x", content_type, b"")]) == warnings


def test_data_and_its_size_go_along() -> None:
    """The file itself is not touched."""
    assert attached("x") == Attachment(name="x", content_type="application/octet-stream", size_bytes=1, data=b"x")
