"""A sender for each recipient, over real sockets and a real Postfix: what comes back tells whom it is about."""

from collections.abc import Iterator

import pytest

from app.delivery.direct import DirectSender
from app.delivery.opening import Approach
from app.delivery.track_record import REFUSED_SENDERS, REFUSES_SENDERS
from app.domain.address import Mailbox
from app.domain.alert import Alert
from app.domain.envelope import DeliveryState, EnvelopeState
from app.domain.outcome import Refused, Sent
from app.domain.relay import Relay, Security
from app.mail.compose import Composer
from app.mail.message_id import MessageIds
from app.net.logins import NoLogin
from app.protocols.smtp.transaction import OutgoingMail
from tests.support.certificates import Authority
from tests.support.dovecot import Dovecot
from tests.support.mails import ENVELOPE_ID, queued_mail
from tests.support.postfix import Postfix
from tests.support.scripted_sending import sending_to
from tests.support.scripted_smtp import ScriptedSmtp

KEY = b"k" * 32
PEOPLE = ("one", "nobody", "two")


@pytest.fixture(scope="module")
def postfix(authority: Authority) -> Iterator[Postfix]:
    """A relay with mailboxes for some of the people."""
    certificate, key = authority.certificate_files()
    with (
        Dovecot(user="tim", password="pa55-w0rd") as dovecot,
        Postfix(("one", "two"), certificate=certificate, key=key, dovecot=dovecot) as running,
    ):
        yield running


@pytest.mark.parametrize("capabilities", [("PIPELINING", "DSN"), ("DSN",)], ids=["pipelined", "stop-and-wait"])
async def test_reports_on_each_recipient_name_the_same_mail(capabilities: tuple[str, ...]) -> None:
    """Another sender in each transaction, and one ENVID (RFC 3461 section 4.4), over one connection."""
    async with ScriptedSmtp(capabilities=capabilities) as server:
        sending = sending_to(server)
        sending.put_with_senders(3)
        await sending.drain()
    lines = [mail.mail_line for mail in server.mails]
    assert [line.split(" RET=")[0] for line in lines] == [f"MAIL FROM:<box+{n}@example.org>" for n in range(3)]
    assert len({line.partition("RET=HDRS ENVID=")[2] for line in lines} - {""}) == 1
    assert [mail.recipients for mail in server.mails] == [(f"r{n}@example.org",) for n in range(3)]
    assert server.connections == 1


async def test_a_relay_that_takes_no_such_sender_does_not_burn_the_queue() -> None:
    """Many providers take none but the account: found out within the first mails, and then the others wait."""
    async with ScriptedSmtp(MAIL=lambda line: "553 5.7.1 not your address" if "box+" in line else None) as server:
        sending = sending_to(server)
        for _ in range(10):
            sending.put_with_senders(2)
        sending.start()
        await sending.until(lambda: sending.link.last_reason.startswith(REFUSES_SENDERS))
        refused = [d for v in sending.journal.verdicts for d in v.deliveries if d.state is DeliveryState.REFUSED]
        await sending.end()
    assert len(refused) == REFUSED_SENDERS - 1
    assert EnvelopeState.SENT not in {verdict.state for verdict in sending.journal.verdicts}


async def test_a_real_server_keeps_the_sender_of_each_recipient(postfix: Postfix) -> None:
    """What it would send a bounce to is our address, which proves the mail and the recipient; a refusal is his own."""
    composer = Composer(mac_key=KEY)
    recipients = tuple(Mailbox(f"{name}@example.org") for name in PEOPLE)
    mail = queued_mail(Alert(subject="disk full"), recipients=recipients, verp="box@example.org")
    relay = Relay(name="mx", host="127.0.0.1", port=postfix.port, security=Security.OPPORTUNISTIC)
    sender = DirectSender([Approach(relay=relay, logins=NoLogin(), helo_name="client.test")])
    data, token = composer.render(mail), composer.envelope_id(mail)
    outcomes = [
        (await sender.send("mx", OutgoingMail(composer.return_path(mail, n), (person.address,), data, token)))[0]
        for n, person in enumerate(recipients)
    ]
    assert [type(outcome) for outcome in outcomes] == [Sent, Refused, Sent]
    returned = {name: postfix.mails(name, count=1)[0]["Return-Path"].strip("<>") for name in ("one", "two")}
    assert MessageIds(KEY).verify_sub_address(returned["one"]) == (ENVELOPE_ID, 0)
    assert MessageIds(KEY).verify_sub_address(returned["two"]) == (ENVELOPE_ID, 2)
