"""Hypothesis against the client: whatever a server says, in whatever pieces, it is an outcome or the relay's fault."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import ProtocolError
from app.domain.login import Login
from app.domain.outcome import Sent
from app.domain.relay import Relay, Security
from app.protocols.smtp.handshake import Handshake, HandshakePhase
from app.protocols.smtp.reply import MAX_LINE, MAX_LINES, ReplyReader, ServerReply
from tests.fuzz.dialogue import MAILS, SECRET, converse
from tests.fuzz.server_words import FLIGHTS, LINES

PIECES = st.lists(st.sampled_from(LINES) | st.binary(max_size=40), max_size=40)
# A server that begins as it should, so that what is odd comes later.
WELCOMES = st.sampled_from([[], LINES[:1], LINES[:2], [LINES[0], LINES[2]], [*LINES[:2], LINES[5]]])


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for thousands of sessions."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as made:
        yield made


@settings(max_examples=1000)
@given(welcome=WELCOMES, pieces=PIECES, login=st.booleans())
def test_any_server(runner: asyncio.Runner, welcome: list[bytes], pieces: list[bytes], login: bool) -> None:
    """No server makes the client raise, hang, keep what it hears, or call a mail sent that did not go out."""
    runner.run(converse([*welcome, *pieces], login=login))


@settings(max_examples=200)
@given(data=st.data())
def test_any_split_of_a_sound_server(runner: asyncio.Runner, data: st.DataObject) -> None:
    """However the network cuts what a sound server says, every mail is sent to everybody."""
    pieces = []
    for flight in FLIGHTS:
        cuts = sorted(data.draw(st.sets(st.integers(1, len(flight) - 1), max_size=5)))
        pieces += [flight[start:end] for start, end in pairwise([0, *cuts, len(flight)])]
    results = runner.run(converse(pieces, login=False))
    assert len(results) == len(MAILS)
    assert all(isinstance(outcome, Sent) for result in results for outcome in result.outcomes)


@given(st.lists(st.sampled_from(LINES) | st.binary(max_size=300), max_size=60))
def test_the_reply_reader(pieces: list[bytes]) -> None:
    """Any bytes are replies, a beginning of one, or a ProtocolError; what is kept has a cap."""
    reader = ReplyReader()
    with suppress(ProtocolError):
        for piece in pieces:
            reader.feed(piece)
            while (reply := reader.next_reply()) is not None:
                assert 200 <= reply.code <= 599
                assert len(reply.lines) <= MAX_LINES
                assert reply.summary().code == reply.code
    assert len(reader._buffer._data) <= MAX_LINE + 300


@pytest.mark.parametrize("flood", [b"x" * 4096, b"250-more\r\n" * 400], ids=["no-line-end", "no-last-line"])
def test_a_flood_ends_in_a_protocol_error(flood: bytes) -> None:
    """A line or a reply without end is refused after a few KiB."""
    reader = ReplyReader()

    def drown() -> None:
        for _ in range(10):
            reader.feed(flood)
            while reader.next_reply() is not None:
                pass

    with pytest.raises(ProtocolError, match="more than"):
        drown()


REPLIES = st.builds(
    ServerReply,
    st.integers(200, 599),
    st.lists(st.sampled_from(["mx", "STARTTLS", "AUTH PLAIN LOGIN XOAUTH2", "2.0.0 ok", "", "===", "é"]), min_size=1)
    .map(tuple),
)  # fmt: skip


@given(
    replies=st.lists(REPLIES, max_size=12),
    security=st.sampled_from(Security),
    loopback=st.booleans(),
    login=st.sampled_from([None, Login("tim", SECRET)]),
)
def test_the_handshake(replies: list[ServerReply], security: Security, loopback: bool, login: Login | None) -> None:
    """The handshake gets ready, fails for a reason or asks for more, and no password goes over an open link."""
    relay = Relay(name="mx", host="mx", port=25, security=security)
    handshake = Handshake(relay, login=login, helo_name="c", encrypted=False, loopback=loopback)
    said = b""
    encrypted = False
    with suppress(ProtocolError):
        for reply in replies:
            if handshake.finished:
                break
            if handshake.phase is HandshakePhase.TLS:
                encrypted = True
                said += handshake.tls_started()
            said += handshake.receive(reply)
    assert (handshake.fault is not None) == (handshake.phase is HandshakePhase.FAILED)
    assert b"AUTH" not in said or encrypted or loopback
