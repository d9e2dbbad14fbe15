"""Commands are one line each, whatever a user or a password holds, and show no secret."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ConfigurationError
from app.protocols.pop3 import commands
from app.protocols.pop3.masking import masked


@given(st.text(), st.text())
def test_one_line_or_none(name: str, word: str) -> None:
    """A user or a password makes exactly one line, or is refused."""
    for make in (commands.user, commands.password, partial(commands.apop, digest=word)):
        try:
            line = make(name).line
        except ConfigurationError:
            continue
        assert line.endswith(b"\r\n")
        assert not {b"\r", b"\n", b"\0"} & {line[at : at + 1] for at in range(len(line) - 2)}
        assert len(line) <= commands.MAX_COMMAND


def test_a_password_with_spaces() -> None:
    """RFC 1939 section 7: spaces are part of the password."""
    assert commands.password(" two  words ").line == b"PASS  two  words \r\n"


@pytest.mark.parametrize("word", ["canary\r\nDELE 1", "canary\n", "\0canary", "canary" * 50])
def test_a_refused_password_is_not_shown(word: str) -> None:
    """The error names the remedy, not the password."""
    with pytest.raises(ConfigurationError) as caught:
        commands.password(word)
    assert "canary" not in str(caught.value)
    assert "canary" not in repr(commands.password("canary"))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("USER tim", "USER tim"),
        ("PASS canary and more", "PASS ***"),
        ("APOP tim of the sea c4c9334bac560ecc979e58001b3e22fb", "APOP tim of the sea ***"),
        ("AUTH PLAIN Y2FuYXJ5", "AUTH PLAIN ***"),
        ("AUTH XOAUTH2", "AUTH XOAUTH2"),
        ("Y2FuYXJ5", "***"),
        ("", "***"),
    ],
)
def test_masked(line: str, shown: str) -> None:
    """What a person sees of a login has no secret in it."""
    assert masked(line) == shown


def test_what_is_asked_of_a_mail() -> None:
    """Mails are asked for by number."""
    lines = [commands.top(1).line, commands.retr(2, max_bytes=9).line, commands.dele(3).line]
    assert lines == [b"TOP 1 0\r\n", b"RETR 2\r\n", b"DELE 3\r\n"]
