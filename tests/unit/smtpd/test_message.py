"""The collector of message text: where a message ends, what its dots mean, what it keeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.smtpd.message import MessageCollector

DIALOGUES = [
    pytest.param(b".\r\n", b"", b"", id="empty"),
    pytest.param(b"one\r\n.\r\n", b"one\r\n", b"", id="one-line"),
    pytest.param(b"..\r\n..one\r\nt.w.o\r\n.\r\n", b".\r\n.one\r\nt.w.o\r\n", b"", id="doubled-dots"),
    pytest.param(b"\r\n\r\n.\r\nQUIT\r\n", b"\r\n\r\n", b"QUIT\r\n", id="command-behind"),
    pytest.param(b"a\n.\nb\r.\rc\r\n.\nd\r\n.\r\n", b"a\n.\nb\r.\rc\r\n\nd\r\n", b"", id="bare-cr-and-lf"),
    pytest.param(b".\r\n.\r\n", b"", b".\r\n", id="two-ends"),
]


@pytest.mark.parametrize("step", [1, 2, 3, 1000])
@pytest.mark.parametrize(("sent", "message", "rest"), DIALOGUES)
def test_a_message_ends_at_its_dot(sent: bytes, message: bytes, rest: bytes, step: int) -> None:
    """However the stream is cut, message and rest are told apart."""
    collector = MessageCollector(1000)
    for start in range(0, len(sent), step):
        left = collector.feed(sent[start : start + step])
        if left is not None:
            assert left + sent[start + step :] == rest
            break
    assert (collector.message(), collector.too_large) == (message, False)


@given(st.lists(st.text("ab.\r\n", max_size=8).map(str.encode)), st.lists(st.integers(1, 9), min_size=1))
def test_any_message_comes_through(lines: list[bytes], cuts: list[int]) -> None:
    """What a client doubles and ends as RFC 5321 says arrives as it was, in pieces of any size."""
    message = b"".join(line.replace(b"\r\n", b"") + b"\r\n" for line in lines)
    sent = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
    collector = MessageCollector(10_000)
    while (rest := collector.feed(sent[: cuts[0]])) is None:
        sent, cuts = sent[cuts[0] :], [*cuts[1:], cuts[0]]
    assert (collector.message(), rest) == (message, b"")


@pytest.mark.parametrize(("size", "too_large"), [(100, False), (101, True)])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_limit_holds_to_the_byte(size: int, too_large: bool, step: int) -> None:
    """A message of exactly the limit, its last line end counted, is taken; one byte more is not."""
    sent = b"x" * (size - 2) + b"\r\n.\r\n"
    collector = MessageCollector(100)
    for start in range(0, len(sent), step):
        ended = collector.feed(sent[start : start + step])
    assert ended == b""
    assert collector.too_large is too_large


def test_past_the_limit_nothing_is_kept() -> None:
    """Memory stays flat, and the end is still found."""
    collector = MessageCollector(100)
    for _ in range(1000):
        assert collector.feed(b"\r\n" * 500) is None
    assert collector.feed(b".\r\n") == b""
    assert len(collector.message()) < 10
