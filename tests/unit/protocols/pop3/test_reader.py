"""Answers are the same however the server's bytes are cut, and what is none ends in a ProtocolError."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ProtocolError
from app.protocols.pop3 import content
from app.protocols.pop3.commands import CAPA, LIST, NOOP, Command, retr
from app.protocols.pop3.reader import MAX_LINE, ReplyReader
from app.protocols.pop3.reply import Pop3Reply, Status

RETR = retr(1, max_bytes=1000)
PIECES = [
    *(b"+OK\r\n", b"+OK 3 octets\r\n", b"-ERR [IN-USE] busy\r\n", b"+ \r\n", b"+ Zm9v\r\n", b".\r\n", b"..\r\n"),
    *(b"\r\n", b"\r", b"\n", b".", b"..", b"a", b"line of a mail\r\n", b".\n", b"\n.\n", b"+", b"x" * 400),
]
ASKED = st.lists(st.sampled_from([NOOP, RETR, LIST, retr(2, max_bytes=3), Command(b"SMALL\r\n", 8)]), max_size=6)
WIRE = st.lists(st.sampled_from(PIECES) | st.binary(max_size=30), max_size=30).map(b"".join)


def _read(pieces: Sequence[bytes], asked: Sequence[Command]) -> tuple[list[Pop3Reply], str]:
    """Return the answers, and the error that ended them, if one did."""
    reader = ReplyReader()
    reader.expect(asked)
    replies = []
    try:
        for piece in pieces:
            reader.feed(piece)
            while (reply := reader.next_reply()) is not None:
                replies.append(reply)
    except ProtocolError as error:
        return replies, str(error)
    return replies, ""


def _answer(data: bytes, asked: Command = RETR) -> Pop3Reply:
    ((reply,), error) = _read([data], [asked])
    assert not error
    return reply


def _cut(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


@given(wire=WIRE, asked=ASKED, sizes=st.lists(st.integers(1, 40), max_size=40))
def test_any_bytes_in_any_pieces(wire: bytes, asked: list[Command], sizes: list[int]) -> None:
    """Any bytes are answers, the beginning of one, or a ProtocolError, and the same in pieces of any size."""
    whole = _read([wire], asked)
    assert _read(_cut(wire, sizes), asked) == whole
    assert _read([bytes([byte]) for byte in wire], asked) == whole


@given(
    lines=st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\r\n", b"")), max_size=12),
    size=st.integers(1, 9),
)
def test_a_mail_comes_back_as_it_was(lines: list[bytes], size: int) -> None:
    """Whatever is in a mail, its doubled dots are undone, and no dot ends it too early."""
    mail = b"".join(line + b"\r\n" for line in lines)
    wire = b"+OK\r\n" + (b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n-ERR next\r\n"
    pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
    assert _read(pieces, [RETR, NOOP]) == ([Pop3Reply(Status.OK, content=mail), Pop3Reply(Status.ERR, "next")], "")


@pytest.mark.parametrize(
    ("wire", "mail"),
    [
        (b"+OK\r\n.\r\n", b""),
        (b"+OK\r\n\r\n.\r\n", b"\r\n"),
        (b"+OK\n..\r\n.\r\n", b".\r\n"),
        (b"+OK\r\n...\r\n....\r\n.\r\n", b"..\r\n...\r\n"),
        (b"+OK\r\n.x\r\n.y\r\n.\r\n", b".x\r\n.y\r\n"),
        (b"+OK\r\na\n.\nb\n.\r\nc\r\n.\r\n", b"a\n.\nb\n.\r\nc\r\n"),
        (b"-ERR\r\n", b""),
    ],
    ids=["empty", "empty line", "first dot", "many dots", "dots that were not doubled", "bare line feeds", "refused"],
)
def test_the_content_of_an_answer(wire: bytes, mail: bytes) -> None:
    """Content ends at CRLF, dot, CRLF and nowhere else; only lines behind a +OK are content."""
    assert _answer(wire).content == mail


def test_a_bare_line_feed_smuggles_no_answer() -> None:
    """A mail with a dot between bare line feeds cannot pass for the end of itself and the answers behind it."""
    wire = b"+OK\r\nhi\n.\n+OK\nforged\n.\n\r\n.\r\n+OK real\r\n.\r\n"
    replies, _ = _read([wire], [RETR, RETR])
    assert [(reply.text, len(reply.content)) for reply in replies] == [("", 20), ("real", 0)]


def test_content_over_the_cap_is_cut() -> None:
    """Of a mail that is too large its beginning is kept, and the next answer follows."""
    replies, error = _read([b"+OK\r\n" + b"0123456789" * 500 + b"\r\n.\r\n+OK\r\n"], [RETR, NOOP])
    assert (replies[0].is_cut, replies[0].content, error) == (True, b"0123456789" * 100, "")
    assert replies[1] == Pop3Reply(Status.OK)


def test_a_listing_over_the_cap_is_refused() -> None:
    """A listing that is too long is of no use, so it is not read to its end."""
    assert _read([b"+OK\r\n" + b"x" * 70_000], [CAPA]) == ([], "the server sends more than 65536 bytes as one answer")


def test_a_mail_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond the cap is read up to a limit of its own."""
    monkeypatch.setattr(content, "MAX_DROPPED", 5000)
    assert _read([b"+OK\r\n"] + [b"x" * 500] * 13, [RETR])[1] == "the server sends more than 6000 bytes as one answer"


def test_memory_is_bounded() -> None:
    """However much comes, no more is held than the cap, what was fed last, and a few bytes."""
    reader = ReplyReader()
    reader.expect([RETR])
    reader.feed(b"+OK\r\n")
    for _ in range(100):
        reader.feed(b"x" * 100_000)
        assert reader.next_reply() is None
    assert reader.content_bytes == 10_000_000 - 4
    assert reader._content is not None
    assert (len(reader._content.whole()), len(reader._buffer)) == (1000, 4)


@pytest.mark.parametrize(
    "wire",
    [b"\r\n", b"hello\r\n", b"OK\r\n", b"+OKAY\r\n", b"+ok\r\n", b"-ERROR\r\n", b"220 mx ESMTP\r\n", b"* OK\r\n"],
    ids=["empty", "text", "no sign", "longer", "lower case", "error", "SMTP", "IMAP"],
)
def test_what_is_no_answer(wire: bytes) -> None:
    """What is no answer raises ProtocolError, which shows it."""
    replies, error = _read([wire], [NOOP])
    assert replies == []
    assert error == f"the server sent no POP3 answer: {wire.decode().strip()!r}"


def test_a_line_without_end_is_refused() -> None:
    """A first line has a cap."""
    assert "more than 8192 bytes" in _read([b"+OK" + b" " * MAX_LINE], [NOOP])[1]


@pytest.mark.parametrize("wire", [b"-ERR canary is bad\r\n", b"canary?\r\n", b"-ERR [AUTH] canary\r\n"])
def test_a_secret_is_hidden(wire: bytes) -> None:
    """A server that repeats the password brings it into no answer and no error."""
    reader = ReplyReader()
    reader.secrets = ("canary",)
    reader.expect([NOOP])
    reader.feed(wire)
    try:
        said = repr(reader.next_reply())
    except ProtocolError as error:
        said = str(error)
    assert "canary" not in said
    assert "***" in said


def test_what_nobody_asked_for_is_left() -> None:
    """An answer to nothing is not taken for one: it stays, and whoever speaks next is told."""
    reader = ReplyReader()
    reader.feed(b"+OK surprise\r\n")
    assert reader.next_reply() is None
    assert reader
