"""A POP3 mailbox that another program holds, with a real Dovecot, which lets whoever comes wait for 10 s."""

from collections.abc import Iterator

import pytest

from app.domain.login import Login
from app.domain.mailbox_server import MailboxSecurity, MailboxServer
from app.domain.mailbox_session import MailboxFault, Trouble
from app.mailbox.opening import open_mailbox
from app.net.logins import FixedLogin
from tests.support.certificates import Authority
from tests.support.dovecot_mailbox import DovecotMailbox

USER, PASSWORD = "ops", "pa55"


@pytest.fixture
def dovecot(authority: Authority) -> Iterator[DovecotMailbox]:
    """A server that gives a mailbox to one POP3 session at a time."""
    certificate, key = authority.certificate_files()
    settings = {"pop3_lock_session": "yes"}
    with DovecotMailbox({USER: PASSWORD}, certificate=certificate, key=key, settings=settings) as server:
        server.put(USER, b"Subject: x\r\n\r\n")
        yield server


@pytest.mark.slow
async def test_a_mailbox_that_is_held_is_in_use(dovecot: DovecotMailbox) -> None:
    """Which is no wrong password, though the answer to one looks alike; and it opens once it is let go."""
    server = MailboxServer(host="127.0.0.1", port=dovecot.ports["pop3"], security=MailboxSecurity.POP3, username=USER)
    with dovecot.locked(USER), pytest.raises(MailboxFault) as caught:
        await open_mailbox(server, FixedLogin(Login(USER, PASSWORD)))
    assert caught.value.trouble is Trouble.IN_USE
    session = await open_mailbox(server, FixedLogin(Login(USER, PASSWORD)))
    assert len(await session.entries()) == 1
    await session.close()
