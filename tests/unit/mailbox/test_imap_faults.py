"""What the words of an IMAP server mean."""

import imaplib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import LoginUnavailable
from app.domain.mailbox_server import MailboxServer, parse_mailbox_url
from app.domain.mailbox_session import Trouble
from app.mailbox.imap_faults import ImapFaults, is_refusal, trouble_of
from app.net.errors import CertificateRejected, ConnectFailed

SERVER: MailboxServer = parse_mailbox_url("imaps://tim@mail.example.org")


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ("LOGIN failed: [AUTHENTICATIONFAILED] no", Trouble.LOGIN),
        ("[ALERT] [UNAVAILABLE] down", Trouble.BUSY),
        ("[NOPERM] no", Trouble.CONFIGURATION),
        ("[BADCHARSET (UTF-8)] [LIMIT] no", Trouble.BUSY),
        ("[UNKNOWN-TO-US] no", Trouble.PROTOCOL),
        ("no [in use]", Trouble.PROTOCOL),
        ("", Trouble.PROTOCOL),
    ],
)
def test_a_response_code_says_what_a_refusal_is(said: str, trouble: Trouble) -> None:
    """RFC 5530; the first one that is known counts, and where there is none nothing is guessed."""
    assert trouble_of(said, otherwise=Trouble.PROTOCOL) is trouble


@pytest.mark.parametrize(
    ("error", "words", "trouble"),
    [
        (imaplib.IMAP4.error("select failed: [NONEXISTENT] No such folder"), "No such folder", Trouble.CONFIGURATION),
        (imaplib.IMAP4.error("FETCH command error: BAD [b'[CLIENTBUG] what?']"), "what?", Trouble.PROTOCOL),
        (imaplib.IMAP4.error(b"* BYE [UNAVAILABLE] too busy"), "too busy", Trouble.BUSY),
        (imaplib.IMAP4.abort("Logging out for inactivity"), "inactivity", Trouble.UNREACHABLE),
        (imaplib.IMAP4.abort("command: FETCH => unexpected response: b'x'"), "cannot be read", Trouble.PROTOCOL),
        (imaplib.IMAP4.error(None), "cannot be read", Trouble.PROTOCOL),
        (ValueError("x"), "cannot be read", Trouble.PROTOCOL),
        (RecursionError(), "cannot be read", Trouble.PROTOCOL),
        (ConnectFailed("cannot connect"), "cannot connect", Trouble.UNREACHABLE),
        (CertificateRejected("the certificate has expired"), "has expired", Trouble.CONFIGURATION),
        (LoginUnavailable("no such file", is_configuration=True), "no such file", Trouble.CONFIGURATION),
    ],
)
def test_every_error_has_a_meaning(error: Exception, words: str, trouble: Trouble) -> None:
    """In words that name the mailbox."""
    fault = ImapFaults(SERVER).of(error, otherwise=Trouble.CONFIGURATION if is_refusal(error) else Trouble.LOGIN)
    assert 'mailbox "imap:tim@mail.example.org": ' in str(fault)
    assert words in str(fault)
    assert fault.trouble is trouble


# Apart from each other, so that what the server says does not hold the secret by itself.
IN_SECRETS = "abcdefgh0123456789"
WORDS = st.text(st.characters(exclude_characters=IN_SECRETS), max_size=300)


@given(WORDS, st.text(IN_SECRETS, min_size=6, max_size=12))
def test_no_refusal_shows_a_secret(said: str, secret: str) -> None:
    """Wherever the server repeats it, and whatever else it says."""
    faults = ImapFaults(SERVER)
    faults.secrets = (secret,)
    fault = faults.of(imaplib.IMAP4.error(f"{said}{secret}{said}"), otherwise=Trouble.LOGIN)
    assert secret not in str(fault)
