"""aiosmtplib as an oracle: the same mails to the same server, by their client and by ours."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import aiosmtplib
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from app.delivery.connection import Connection
from app.delivery.opening import Approach
from app.domain.relay import Relay, Security
from app.net.logins import NoLogin
from app.protocols.smtp.transaction import OutgoingMail
from tests.support.mail_sequence import MailSequence
from tests.support.scripted_smtp import ScriptedSmtp, StoredMail

SIZE_LIMIT = 20_000  # bytes
REPLIES = {"refused": "550 5.7.1 no", "deferred": "451 4.7.1 later"}
CAPABILITIES = ["PIPELINING", f"SIZE {SIZE_LIMIT}", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN"]


@dataclass(frozen=True)
class Dialogue:
    """What a server can do, how it answers the final dots, and the mails; addresses say how they are answered."""

    capabilities: tuple[str, ...]
    dots: tuple[str, ...]
    mails: tuple[OutgoingMail, ...]


def by_address(line: str) -> str | None:
    """Answer MAIL or RCPT as the address says, and MAIL of a mail that is too large."""
    size = re.search(r"SIZE=(\d+)", line, re.IGNORECASE)
    if size and int(size[1]) > SIZE_LIMIT:
        return "552 5.3.4 too large"
    return next((reply for word, reply in REPLIES.items() if word in line), None)


# Everything that a client has to care for: dots, long lines, any line end, none at the end, every byte.
LINES = st.sampled_from([b".", b"..", b".x", b"", b"x" * 3000, b"\xff\x00", b"a line", b"QUIT", b"\t."]) | st.binary(
    max_size=30
)
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\n", b"\r", b""])
CONTENTS = st.lists(st.tuples(LINES, ENDS), min_size=1, max_size=12).map(lambda parts: b"".join(map(b"".join, parts)))
LARGE = CONTENTS.map(lambda content: content + b"0123456789.\r\n" * 2000)
FATES = st.sampled_from(["taken", "taken", "taken", "refused", "deferred"])
SENDERS = st.builds("{}-{}@example.org".format, FATES, st.integers(0, 9))
RECIPIENTS = st.lists(SENDERS, min_size=1, max_size=6, unique=True).map(tuple)
MAILS = st.builds(OutgoingMail, SENDERS, RECIPIENTS, (CONTENTS | LARGE).filter(bool))
DIALOGUES = st.builds(
    Dialogue,
    capabilities=st.sets(st.sampled_from(CAPABILITIES)).map(lambda chosen: tuple(sorted(chosen))),
    dots=st.lists(st.sampled_from(["250 2.0.0 ok", "250 2.0.0 ok", "554 5.6.0 no", "451 4.3.0 later"]), max_size=4).map(
        tuple
    ),
    mails=st.lists(MAILS, min_size=1, max_size=4).map(tuple),
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(DIALOGUES)
def test_a_hundred_dialogues(dialogue: Dialogue) -> None:
    """In a hundred random dialogues the server gets the same envelopes and bytes from us as from aiosmtplib."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        ours, theirs = runner.run(_both(dialogue))
    event(f"{len(theirs)} mails stored")
    assert [_essence(mail) for mail in ours] == [_essence(mail) for mail in theirs]


async def _both(dialogue: Dialogue) -> tuple[Sequence[StoredMail], Sequence[StoredMail]]:
    async with _server(dialogue) as first, _server(dialogue) as second:
        await _send_ours(first.port, dialogue.mails)
        await _send_theirs(second.port, dialogue.mails)
    return first.mails, second.mails


def _server(dialogue: Dialogue) -> ScriptedSmtp:
    return ScriptedSmtp(capabilities=dialogue.capabilities, MAIL=by_address, RCPT=by_address, DOT=dialogue.dots)


async def _send_ours(port: int, mails: Sequence[OutgoingMail]) -> None:
    relay = Relay(name="mx", host="127.0.0.1", port=port, security=Security.INSECURE)
    connection = await Connection.open(Approach(relay=relay, logins=NoLogin(), helo_name="client.test"))
    results = await MailSequence(mails).send_over(connection)
    assert len(results) == len(mails), "the connection was given up in between"
    await connection.close()


async def _send_theirs(port: int, mails: Sequence[OutgoingMail]) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        for mail in mails:
            with suppress(aiosmtplib.SMTPException):  # refused or deferred, as the script says
                await client.sendmail(mail.sender, list(mail.recipients), mail.data)


def _essence(mail: StoredMail) -> tuple[str, tuple[str, ...], bytes]:
    return mail.sender, mail.recipients, mail.wire
