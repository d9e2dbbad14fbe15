"""The mailbox server that other tests read: what is put is what clients of the standard library get."""

import imaplib
import poplib
import ssl
from collections.abc import Iterator

import pytest

from tests.support.certificates import Authority
from tests.support.dovecot_mailbox import DovecotMailbox

USER, PASSWORD = "ops", "pass word"
MAILS = [b"Subject: %d\r\n\r\nbody\r\n" % number for number in range(3)]


@pytest.fixture(scope="module")
def dovecot(authority: Authority) -> Iterator[DovecotMailbox]:
    """One server for these tests."""
    certificate, key = authority.certificate_files()
    with DovecotMailbox({USER: PASSWORD}, certificate=certificate, key=key) as server:
        yield server


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    """A context that trusts the server."""
    return ssl.create_default_context(cafile=authority.bundle)


@pytest.fixture(autouse=True)
def three_mails(dovecot: DovecotMailbox) -> None:
    """Exactly three mails."""
    dovecot.clear(USER)
    dovecot.put(USER, *MAILS)


@pytest.mark.parametrize("security", ["pop3", "stls", "pop3s"])
def test_pop3_gives_the_mails_in_order(dovecot: DovecotMailbox, trust: ssl.SSLContext, security: str) -> None:
    """By POP3, in plaintext, after STLS and under TLS, the mails come as they were put."""
    if security == "pop3s":
        client: poplib.POP3 = poplib.POP3_SSL("localhost", dovecot.ports["pop3s"], context=trust)
    else:
        client = poplib.POP3("localhost", dovecot.ports["pop3"])
    if security == "stls":
        client.stls(context=trust)
    client.user(USER)
    client.pass_(PASSWORD)
    assert [b"\r\n".join(client.retr(number)[1]) + b"\r\n" for number in (1, 2, 3)] == MAILS
    client.quit()


@pytest.mark.parametrize("security", ["imap", "starttls", "imaps"])
def test_imap_gives_the_mails_in_order(dovecot: DovecotMailbox, trust: ssl.SSLContext, security: str) -> None:
    """By IMAP, in plaintext, after STARTTLS and under TLS, the mails come as they were put."""
    if security == "imaps":
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL("localhost", dovecot.ports["imaps"], ssl_context=trust)
    else:
        client = imaplib.IMAP4("localhost", dovecot.ports["imap"])
    if security == "starttls":
        client.starttls(ssl_context=trust)
    client.login(USER, PASSWORD)
    client.select()
    _, answer = client.fetch("1:*", "(BODY.PEEK[])")
    client.logout()
    assert [part[1] for part in answer if isinstance(part, tuple)] == MAILS


def test_it_comes_back_after_a_kill(dovecot: DovecotMailbox) -> None:
    """After a kill the next start serves the same mails on the same ports."""
    dovecot.kill()
    dovecot.start()
    client = poplib.POP3("localhost", dovecot.ports["pop3"])
    client.user(USER)
    client.pass_(PASSWORD)
    assert client.stat()[0] == len(MAILS)
    client.quit()


def test_a_reset_gives_another_uidvalidity(dovecot: DovecotMailbox) -> None:
    """After a reset the mailbox has another UIDVALIDITY."""

    def uidvalidity() -> object:
        client = imaplib.IMAP4("localhost", dovecot.ports["imap"])
        client.login(USER, PASSWORD)
        client.select()
        _, value = client.response("UIDVALIDITY")
        client.logout()
        return value

    before = uidvalidity()
    dovecot.reset_uidvalidity(USER)
    assert uidvalidity() != before
