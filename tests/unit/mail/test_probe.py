"""The probe: a mail that proves itself, and that nobody answers."""

from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given

from app.domain.address import Mailbox
from app.mail.dkim import DkimSigner, dkim_public_record
from app.mail.message_id import MessageIds
from app.mail.probe import ProbePaper, probe_mail
from tests.support.dkim_oracle import verifies
from tests.support.mails import MADE_AT, any_text, read_mail

IDS = MessageIds(b"k" * 32)
NUMBER = 155_313_520_841_457_664
TOKEN = IDS.probe_token(NUMBER)
PAPER = ProbePaper(server_name="web1", sender=Mailbox("alerts@example.org"), mailbox=Mailbox("box@example.org"))
GOLDEN = Path(__file__).with_name("golden")


def probe(paper: ProbePaper = PAPER, *, relay: str = "mx1") -> EmailMessage:
    return read_mail(probe_mail(paper, token=TOKEN, relay=relay, at=MADE_AT))


def test_a_whole_probe_is_what_it_was() -> None:
    """Every byte of a mail is on purpose: a change must show here and be meant."""
    assert probe_mail(PAPER, token=TOKEN, relay="mx1", at=MADE_AT) == (GOLDEN / "probe.eml").read_bytes()


def test_a_probe_proves_itself_twice() -> None:
    """By its Message-ID, and by a header for where a relay put another one in its place; as no alert does."""
    mail = probe()
    assert IDS.verify_probe(mail["X-MailAlert-Probe"]) == NUMBER
    assert mail["Message-ID"] == f"<probe.{TOKEN}@example.org>"
    assert IDS.verify(f"<{TOKEN}@example.org>") is None


def test_no_program_answers_a_probe() -> None:
    """It says that it is automatic, in the words that servers know."""
    mail = probe()
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")


@given(server=any_text, relay=any_text, name=any_text)
def test_no_name_breaks_the_probe(server: str, relay: str, name: str) -> None:
    """It is one text, with the headers that every probe has."""
    paper = replace(PAPER, server_name=server, sender=Mailbox("alerts@example.org", name))
    mail = probe(paper, relay=relay)
    assert mail.get_content_type() == "text/plain"
    assert [name for name in mail.keys() if name != "Content-Transfer-Encoding"] == [  # noqa: SIM118 - no dict
        "Date", "Message-ID", "From", "To", "Auto-Submitted", "X-Auto-Response-Suppress", "Subject",
        "X-MailAlert-Probe", "MIME-Version", "Content-Type",
    ]  # fmt: skip


@pytest.mark.parametrize("relay", ["mx1", "größe"], ids=["ASCII", "another script"])
def test_a_probe_is_signed(relay: str) -> None:
    """As all other mails are, so that it shows how they fare."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    paper = replace(PAPER, signer=DkimSigner("example.org", "s", pem))
    octets = probe_mail(paper, token=TOKEN, relay=relay, at=MADE_AT)
    assert verifies(octets, {"s._domainkey.example.org": dkim_public_record(pem)})
