"""Replies are read as RFC 5321 section 4.2 has them, and what is none is named as such."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ProtocolError
from app.domain.outcome import Reply
from app.protocols.smtp.reply import MAX_LINES, MAX_TEXT, ReplyReader, ServerReply

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _replies(data: bytes) -> list[ServerReply]:
    reader = ReplyReader()
    reader.feed(data)
    replies = []
    while (reply := reader.next_reply()) is not None:
        replies.append(reply)
    return replies


@pytest.mark.parametrize(
    ("data", "summary"),
    [
        pytest.param(b"250 ok\r\n", Reply(250, "ok"), id="plain"),
        pytest.param(b"250\r\n", Reply(250), id="no-text"),
        pytest.param(b"354 \r\n", Reply(354), id="empty-text"),
        pytest.param(b"550 5.1.1 no such user\r\n", Reply(550, "no such user", "5.1.1"), id="enhanced"),
        pytest.param(b"550 5.1.1\r\n", Reply(550, "", "5.1.1"), id="enhanced-alone"),
        pytest.param(b"554 5.1.1.7 is blocked\r\n", Reply(554, "5.1.1.7 is blocked"), id="an-address"),
        pytest.param(b"250-one\r\n250-\r\n250 two\r\n", Reply(250, "one two"), id="lines"),
        pytest.param(b"550-5.7.1 a\r\n550 5.7.1 b\r\n", Reply(550, "a b", "5.7.1"), id="enhanced-lines"),
        pytest.param(b"550 a\x00b\r\n", Reply(550, "a b"), id="nul"),
        pytest.param("550 geschlößn\r\n".encode(), Reply(550, "geschlößn"), id="utf-8"),
        pytest.param(b"550 geschl\xf6ssen\r\n", Reply(550, "geschl\\xf6ssen"), id="latin-1"),
    ],
)
def test_reply_in_one_line(data: bytes, summary: Reply) -> None:
    """Any reply becomes a code, an enhanced code and one readable line."""
    assert [reply.summary() for reply in _replies(data)] == [summary]


@pytest.mark.parametrize(
    "data",
    [b"hello\r\n", b"\r\n", b"25 ok\r\n", b"2500 ok\r\n", b"150 ok\r\n", b"650 ok\r\n", b"250-a\r\n251 b\r\n"],
    ids=["text", "empty", "short", "long", "first-1", "first-6", "mixed-codes"],
)
def test_what_is_no_reply(data: bytes) -> None:
    """What is no reply raises ProtocolError."""
    with pytest.raises(ProtocolError):
        _replies(data)


def test_reply_without_end_is_refused() -> None:
    """A reply may not go on for ever."""
    with pytest.raises(ProtocolError, match="lines"):
        _replies(b"250-more\r\n" * (MAX_LINES + 1))


def test_long_text_is_cut() -> None:
    """What goes to the journal is short, however much a server says."""
    [reply] = _replies(b"250-" + b"x" * 10_000 + b"\r\n250 end\r\n")
    assert len(reply.summary().text) == MAX_TEXT


def test_good_reply_before_garbage_is_not_lost() -> None:
    """A whole reply is given out before what follows it is judged."""
    reader = ReplyReader()
    reader.feed(b"250 taken\r\ngarbage\r\n")
    assert reader.next_reply() == ServerReply(250, ("taken",))
    assert reader
    with pytest.raises(ProtocolError):
        reader.next_reply()


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_no_bytes_do_harm(pieces: list[bytes]) -> None:
    """Whatever a server sends is a reply or a ProtocolError."""
    reader = ReplyReader()
    try:
        for piece in pieces:
            reader.feed(piece)
            while (reply := reader.next_reply()) is not None:
                assert not CONTROLS.search(str(reply.summary()))
    except ProtocolError:
        return


def test_a_secret_that_is_repeated_is_hidden() -> None:
    """The reader knows the password, so that no reply holds it, and no complaint about one, not even in part."""
    reader = ReplyReader()
    reader.secrets = ("canary",)
    reader.feed(b"550-5.7.1 canary\r\n550 5.7.1 sent canary\r\n" + b"x" * 77 + b"canary\r\n")
    assert reader.next_reply() == ServerReply(550, ("5.7.1 ***", "5.7.1 sent ***"))
    with pytest.raises(ProtocolError) as caught:
        reader.next_reply()
    assert "can" not in str(caught.value)
