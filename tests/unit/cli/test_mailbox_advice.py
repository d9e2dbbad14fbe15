"""For known troubles with the mailbox `mailalert check` says what to do."""

import pytest

from app.cli.mailbox_advice import for_mailbox, for_mailbox_fault
from app.domain.address import Mailbox
from app.domain.errors import LoginUnavailable
from app.domain.mailbox_server import MailboxServer, parse_mailbox_url
from app.domain.mailbox_session import MailboxFault, Trouble
from app.net.errors import ConnectFailed


def server(url: str) -> MailboxServer:
    return parse_mailbox_url(url, password="secret")


def advice(
    url: str, trouble: Trouble, *, cause: Exception | None = None, reason: str = "no", by_token: bool = False
) -> str:
    """Return what is said about a fault of the mailbox at `url`."""
    fault = MailboxFault(reason, trouble)
    fault.__cause__ = cause
    return "\n".join(for_mailbox_fault(server(url), fault, by_token=by_token))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("imaps://me%40qq.com@imap.qq.com", "QQ Mail: turn on IMAP in the account's settings"),
        ("pop3s://me%40qq.com@pop.qq.com", "QQ Mail: turn on POP3 in the account's settings"),
        ("imaps://me%40163.com@imap.163.com", "授权码"),
        ("imaps://me%40gmail.com@imap.gmail.com", "app password"),
        ("imaps://me%40example.org@outlook.office365.com", "([mailbox.oauth]), and the administrator must allow IMAP"),
        ("imaps://me@mail.example.org", "the user is me: some servers want the whole address"),
        ("pop3s://me@mail.example.org", "see whether POP3 is turned on for the account"),
    ],
    ids=["qq", "qq by pop3", "163", "gmail", "microsoft", "short user", "turned off"],
)
def test_each_provider_wants_something_else_than_the_password(url: str, said: str) -> None:
    """And each may have the protocol turned off."""
    assert said in advice(url, Trouble.LOGIN)


@pytest.mark.parametrize(
    ("url", "right"),
    [("imaps://me@outlook.office365.com", "IMAP.AccessAsApp"), ("pop3s://me@outlook.office365.com", "POP.AccessAsApp")],
    ids=["imap", "pop3"],
)
def test_a_token_needs_rights(url: str, right: str) -> None:
    """Nothing is said of passwords then."""
    said = advice(url, Trouble.LOGIN, by_token=True)
    assert right in said
    assert "app password" not in said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("imap://me@mail.example.org:993", "port 993 begins with TLS: write imaps:// instead of imap://"),
        ("imaps://me@mail.example.org:143", "port 143 begins in plaintext: write imap:// instead of imaps://"),
        ("pop3://me@mail.example.org:995", "port 995 begins with TLS: write pop3s:// instead of pop3://"),
        ("imap://me@mail.example.org:110", "port 110 is for POP3: write pop3:// instead of imap://"),
        ("imaps://me@mail.example.org:995", "port 995 is for POP3: write pop3s:// instead of imaps://"),
        ("pop3s://me@mail.example.org:143", "port 143 is for IMAP: write imap:// instead of pop3s://"),
        ("imaps://me@mail.example.org", ""),
        ("imaps://me@mail.example.org:1993", ""),
    ],
    ids=["imap on 993", "imaps on 143", "pop3 on 995", "imap on 110", "imaps on 995", "pop3s on 143", "right", "own"],
)
@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.PROTOCOL])
def test_a_port_that_speaks_otherwise_is_named(url: str, said: str, trouble: Trouble) -> None:
    """Of ports that nobody knows nothing is guessed."""
    assert advice(url, trouble) == said


@pytest.mark.parametrize(
    ("url", "reason", "said"),
    [
        ("imaps://me@h:1143", "TLS failed: wrong version number", "write imap:// instead of imaps://"),
        ("pop3s://me@h:1110", "spoke in plaintext where TLS must begin", "write pop3:// instead of pop3s://"),
    ],
    ids=["imap", "pop3"],
)
def test_a_server_that_spoke_in_plaintext_tells_it_of_any_port(url: str, reason: str, said: str) -> None:
    """It was heard, so nothing is guessed."""
    assert said in advice(url, Trouble.PROTOCOL, reason=reason)


@pytest.mark.parametrize(
    ("url", "reason", "said"),
    [
        ("imaps://me@mail.exmaple.org", "the name does not resolve", "check the host name mail.exmaple.org"),
        ("imaps://me@localhost", "refused", "nothing listens on port 993"),
        ("imaps://me@mail.example.org", "no answer", "a firewall lets this machine reach port 993"),
    ],
    ids=["name", "this machine", "elsewhere"],
)
def test_a_server_that_is_not_reached(url: str, reason: str, said: str) -> None:
    """A name, a server that is not running, and a firewall are different things."""
    assert said in advice(url, Trouble.UNREACHABLE, cause=ConnectFailed(), reason=reason)


@pytest.mark.parametrize(
    ("is_configuration", "said"),
    [(True, "nothing was said to the server"), (False, "the token server is the trouble, not the mailbox")],
    ids=["settings", "token server"],
)
def test_a_login_that_cannot_be_had(*, is_configuration: bool, said: str) -> None:
    """The mailbox is not to blame."""
    cause = LoginUnavailable("no token", is_configuration=is_configuration)
    assert said in advice("imaps://me@h", Trouble.CONFIGURATION, cause=cause)


def test_a_mailbox_that_is_in_use_by_pop3() -> None:
    """It is the daemon itself, more often than not."""
    assert "only one program at a time" in advice("pop3s://me@h", Trouble.IN_USE)


def test_a_server_that_is_busy() -> None:
    """Who looks in too often is kept out."""
    assert "look in less often (every below [mailbox])" in advice("pop3s://me@h", Trouble.BUSY)


@pytest.mark.parametrize("trouble", [Trouble.CONFIGURATION, Trouble.PROTOCOL])
def test_what_the_fault_says_itself_is_not_said_twice(trouble: Trouble) -> None:
    """No STLS, a certificate and a lost folder come with their remedies."""
    assert advice("imaps://me@h", trouble) == ""


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("imaps://Alerts%40example.org@h", False),
        ("imaps://alerts@h", False),
        ("imaps://bounces%40example.org@h", True),
    ],
    ids=["the sender's", "no address", "another"],
)
def test_a_mailbox_of_somebody_else_than_the_sender_is_told(url: str, *, warned: bool) -> None:
    """Bounces would never be seen in it."""
    assert bool(list(for_mailbox(server(url), Mailbox("alerts@example.org")))) is warned
