"""Whatever a POP3 server says, our client comes to an end: with mails, or with a fault that shows no secret."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ProtocolError
from app.domain.login import Login
from app.domain.mailbox_server import MailboxSecurity, MailboxServer
from app.domain.mailbox_session import MailboxFault
from app.mailbox.faults import faults_of
from app.mailbox.pop3_exchange import Pop3Exchange
from app.mailbox.pop3_opening import Pop3Opening
from app.mailbox.pop3_session import Pop3Session
from app.mailbox.timeouts import MailboxTimeouts
from app.net.logins import FixedLogin
from app.protocols.pop3.handshake import Handshake, HandshakePhase
from app.protocols.pop3.reply import Pop3Reply, Status
from tests.fuzz.memory_stream import MemoryStream

HANG = 10  # seconds; a session takes a few milliseconds
TIMEOUTS = MailboxTimeouts(HANG, HANG, HANG, HANG, HANG, HANG)
SECRET = "c4n4ry-s3cret"
LOGIN = Login("tim", SECRET)
SERVER = MailboxServer(host="mx", port=110, security=MailboxSecurity.POP3, username="tim")
MAX_BYTES = 1000
# What a sound server says to each flight of ours, and what comes between.
FLIGHTS = [
    b"+OK ready\r\n",
    b"+OK\r\nPIPELINING\r\nTOP\r\nSASL PLAIN\r\n.\r\n",
    b"+OK\r\n",
    b"+OK 2 30\r\n",
    b"+OK\r\n1 a\r\n2 b\r\n.\r\n+OK\r\n1 15\r\n2 15\r\n.\r\n",
    b"+OK\r\nSubject: 1\r\n\r\n..\r\n.\r\n+OK\r\nSubject: 2\r\n\r\n.\r\n",
    b"+OK\r\nSubject: 1\r\n\r\n.\r\n",
    b"+OK\r\n+OK\r\n",
    b"+OK bye\r\n",
]
LINES = [
    *FLIGHTS,
    *(
        b"",
        b"\r\n",
        b".\r\n",
        b"+ \r\n",
        b"-ERR\r\n",
        b"-ERR [IN-USE] " + SECRET.encode() + b"\r\n",
        b"+OK 1 1\r\n",
        b"x",
    ),
    *(
        b"+OK ready <1.2@mx>\r\n",
        b"+OK\r\nUSER\r\n.\r\n",
        b"+OK\r\n1 1\r\n.\r\n",
        b"+OK\r\n" + b"y" * 5000 + b"\r\n.\r\n",
    ),
]


async def _converse(pieces: Sequence[bytes]) -> MemoryStream:
    """Open a session with a server that says `pieces`, and do all that can be done for as long as it goes on."""
    async with asyncio.timeout(HANG):
        stream = MemoryStream(pieces)
        fault = await _use(stream)
        # Before the login the server cannot know the password, and ours would be found by chance only.
        assert b"AUTH" not in stream.said or SECRET not in fault
        assert b"PASS" not in stream.said or SECRET not in fault
        return stream


async def _use(stream: MemoryStream) -> str:
    """Return how it failed, "" if it did not."""
    try:
        await _read_and_delete(stream)
    except MailboxFault as fault:
        return f"{fault} {fault!r}"
    return ""


async def _read_and_delete(stream: MemoryStream) -> None:
    opening = Pop3Opening(SERVER, FixedLogin(LOGIN), timeouts=TIMEOUTS, on_line=None)
    with faults_of(SERVER):
        dialogue = await opening._over(stream, LOGIN)
    exchange = Pop3Exchange(SERVER, dialogue, pipelining=opening.capabilities.pipelining)
    session = Pop3Session(exchange, TIMEOUTS, has_top=opening.capabilities.top)
    uids = [entry.uid for entry in await session.entries()]
    async for mail in session.fetch(uids, max_bytes=MAX_BYTES):
        assert len(mail.data) <= MAX_BYTES
    if uids:
        await session.head(uids[0])
    await session.delete(uids)
    await session.close()
    assert not uids or b"QUIT" in stream.said, "deletions count without QUIT"


async def test_a_sound_server() -> None:
    """The flights that the fuzzer starts from are a whole session."""
    stream = await _converse(FLIGHTS)
    assert stream.said.endswith(b"DELE 1\r\nDELE 2\r\nQUIT\r\n")


@given(pieces=st.lists(st.sampled_from(LINES) | st.binary(max_size=100), max_size=20))
def test_any_server(pieces: list[bytes]) -> None:
    """A server that says anything ends in mails or in a fault, in time."""
    asyncio.run(_converse(pieces))


@given(at=st.integers(0, len(FLIGHTS) - 1), instead=st.sampled_from(LINES) | st.binary(max_size=60))
def test_a_server_that_breaks_down(at: int, instead: bytes) -> None:
    """A server that is sound up to one answer ends in mails or in a fault, in time."""
    asyncio.run(_converse([*FLIGHTS[:at], instead, *FLIGHTS[at + 1 :]]))


CONTENTS = [b"", b"STLS\r\nUSER\r\n", b"SASL PLAIN LOGIN CRAM-MD5\r\n", b"STLS\r\nSASL LOGIN\r\n", b"\xff"]
REPLIES = st.builds(
    Pop3Reply,
    st.sampled_from(Status),
    st.sampled_from(["", "ready <1.2@mx>", "Zm9v", "===", "é"]),
    st.sampled_from(["", "AUTH", "IN-USE"]),
    st.sampled_from(CONTENTS),
)


@given(replies=st.lists(REPLIES, max_size=12), loopback=st.booleans())
def test_the_handshake(replies: list[Pop3Reply], loopback: bool) -> None:
    """It opens, fails for a reason or asks for more, and nothing of a login goes over an open link."""
    handshake = Handshake(LOGIN, encrypted=False, loopback=loopback)
    said, encrypted = b"", loopback
    with suppress(ProtocolError):
        for reply in replies:
            if handshake.finished:
                break
            if handshake.phase is HandshakePhase.TLS:
                encrypted = True
                said += handshake.tls_started().line
            command = handshake.receive(reply)
            said += command.line if command else b""
    assert (handshake.fault is not None) == (handshake.phase is HandshakePhase.FAILED)
    assert encrypted or not any(word in said for word in (b"USER", b"PASS", b"AUTH", b"APOP"))
