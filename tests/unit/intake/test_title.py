"""The Title header, and others that people fill in: UTF-8, else Latin-1, or RFC 2047."""

from email.header import Header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.title import read_title


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        pytest.param(b"", "", id="none"),
        pytest.param(b"Backup failed", "Backup failed", id="ascii"),
        pytest.param("größer 磁盘".encode(), "größer 磁盘", id="utf8"),
        pytest.param("größer".encode("latin-1"), "größer", id="latin-1"),
        pytest.param(b"=?utf-8?q?gr=C3=B6=C3=9Fer_als?= 5", "größer als 5", id="q"),
        pytest.param(b"a =?UTF-8?B?w7Y=?= b", "a ö b", id="b"),
        pytest.param(b"=?utf-8?B?w7Y?=", "ö", id="b-without-padding"),
        pytest.param(b"=?utf-8?q?a?= \t=?utf-8?q?b?=", "ab", id="blank-between-words"),
        pytest.param(b"=?gb2312?B?tMXFzA==?=", "磁盘", id="gb2312"),
        pytest.param(b"=?utf-8*en?q?a?=", "a", id="language"),
        pytest.param(b"=?nope?q?a?=", "a", id="unknown-charset"),
        pytest.param(b"=?utf-8?q?=C3?= =?utf-8?q?=B6?=", "ö", id="character-in-two-words"),
        pytest.param(b"=?utf-8?b?a?=", "=?utf-8?b?a?=", id="broken-base64"),
        pytest.param(b"=?utf-8?q?a=0D=0ABcc:_x?=", "a Bcc: x", id="injection"),
    ],
)
def test_title_is_read(raw: bytes, title: str) -> None:
    """Whatever a shell or a library makes of a title, people read what was meant."""
    assert read_title(raw.decode("latin-1")) == title


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=200))
def test_title_of_the_standard_library_is_understood(text: str) -> None:
    """What `email` encodes comes back the same."""
    assert read_title(Header(text, "utf-8").encode(linesep=" ")) == text
