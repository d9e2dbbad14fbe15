"""One whole session of our client with a server that says anything: what both fuzzers drive.

Whatever the server says, this returns: no exception but the relay's fault, no wait without end, no memory
that grows with what is said, and for each recipient of each mail an outcome that the dialogue bears out.
"""

import asyncio
from collections.abc import Sequence

from app.delivery.connection import Connection, SendResult
from app.delivery.dialogue import Dialogue
from app.delivery.opening import Approach, RelayFault, Timeouts, _Opening
from app.domain.login import Login
from app.domain.outcome import Sent
from app.domain.relay import Relay, Security
from app.net.logins import FixedLogin, NoLogin
from app.protocols.smtp.reply import MAX_LINE, MAX_LINES
from app.protocols.smtp.transaction import OutgoingMail
from tests.fuzz.memory_stream import MemoryStream
from tests.support.mail_sequence import MailSequence

HANG = 10  # seconds; a session takes a few milliseconds
TIMEOUTS = Timeouts(connect_s=HANG, command_s=HANG, block_s=HANG, final_dot_s=HANG, mail_s=HANG, quit_s=HANG)
RELAY = Relay(name="mx", host="mx.example.org", port=25, security=Security.INSECURE)
SECRET = "c4n4ry-s3cret"
MAILS = (
    OutgoingMail("a@example.org", ("b@example.org", "c@example.org"), b"Subject: 1\r\n\r\n.x\r\n", "E1"),
    OutgoingMail("a@example.org", ("b@example.org",), b"Subject: 2\r\n\r\n" + b"y" * 200_000, "E2"),
    OutgoingMail("a@example.org", ("b@example.org", "ü@example.org"), b"Subject: 3\r\n\r\nz\r\n", "E3"),
)


async def converse(pieces: Sequence[bytes], *, login: bool) -> list[SendResult]:
    """Open a session with a server that says `pieces`, send every mail for as long as it is usable, and close it."""
    async with asyncio.timeout(HANG):
        logins = FixedLogin(Login("tim", SECRET)) if login else NoLogin()
        approach = Approach(relay=RELAY, logins=logins, helo_name="client.example.org", timeouts=TIMEOUTS)
        stream = MemoryStream(pieces)
        try:
            session = await _Opening(approach, stream, await logins.current()).run()
        except RelayFault as fault:
            _check_silence(f"{fault} {fault.outcome!r}", stream)
            return []
        connection = Connection(approach, session, session.handshake.capabilities)
        results = await MailSequence(MAILS).send_over(connection)
        _check(results, stream, session.dialogue)
        await connection.close()
        return results


def _check(results: Sequence[SendResult], stream: MemoryStream, dialogue: Dialogue) -> None:
    for mail, result in zip(MAILS, results, strict=False):
        assert len(result.outcomes) == len(mail.recipients)
    sent = sum(any(isinstance(outcome, Sent) for outcome in result.outcomes) for result in results)
    assert sent <= stream.said.count(b"\r\n.\r\n"), "sent, and its final dot never went out"
    _check_silence(repr(results), stream)
    replies = dialogue._replies
    assert len(replies._buffer._data) <= MAX_LINE + max(map(len, stream.pieces), default=0)
    assert len(replies._lines) <= MAX_LINES


def _check_silence(said: str, stream: MemoryStream) -> None:
    # Before the login the server cannot know the password, and ours would be found by chance only.
    assert b"AUTH" not in stream.said or SECRET not in said, "the relay's echo of the password was passed on"
