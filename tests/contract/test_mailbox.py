"""What every session with a mailbox keeps to: POP3 and IMAP, in plaintext and under TLS, with a real Dovecot."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import pytest

from app.domain.login import Login
from app.domain.mailbox_server import MailboxProtocol, MailboxSecurity, MailboxServer
from app.domain.mailbox_session import FetchedMail, MailboxFault, MailboxSession, Trouble
from app.domain.relay import TlsFiles
from app.mailbox.opening import open_mailbox, session_by
from tests.support.certificates import Authority
from tests.support.dovecot_mailbox import DovecotMailbox

pytestmark = pytest.mark.xdist_group("mailbox contract")

USER, PASSWORD = "ops", 'pä55 "word'
MANY, LARGE = "many", "large"  # users whose mails stay
PLENTY = 1 << 30  # bytes
MAILS = [b"Subject: mail %d\r\n\r\nbody %d\r\n" % (number, number) for number in range(5)]
LINE = bytes(range(32, 126))[:76] + b"\r\n"
LARGE_MAIL = b"Subject: large\r\n\r\n" + LINE * (50_000_000 // len(LINE))
MANY_MAILS = [b"Subject: %d\r\n\r\n%d\r\n" % (number, number) for number in range(1000)]


@dataclass
class NotedLogins:
    """A fixed login, and what was refused."""

    login: Login
    noted: list[Login] = field(default_factory=list)

    async def current(self) -> Login:
        """Return it."""
        return self.login

    def refused(self, login: Login) -> None:
        """Note it."""
        self.noted.append(login)


@dataclass
class Mailbox:
    """The server, and one way to reach it."""

    dovecot: DovecotMailbox
    security: MailboxSecurity
    authority: Authority

    @property
    def is_pop3(self) -> bool:
        """Whether it speaks POP3."""
        return self.security.protocol is MailboxProtocol.POP3

    async def open(
        self, user: str = USER, *, logins: NotedLogins | None = None, trusting: bool = True
    ) -> MailboxSession:
        """Open a session; `trusting` the authority of the server."""
        server = MailboxServer(
            host="localhost",
            port=self.dovecot.ports[self.security.value],
            security=self.security,
            username=user,
            tls=TlsFiles(ca=str(self.authority.bundle)) if trusting else TlsFiles(),
        )
        return await open_mailbox(server, logins or NotedLogins(Login(user, PASSWORD)))

    def session(self, user: str = USER) -> AbstractAsyncContextManager[MailboxSession]:
        """Open a session, which is closed in order unless its block fails."""
        return session_by(self.open(user))


@pytest.fixture(scope="module")
def dovecot(authority: Authority) -> Iterator[DovecotMailbox]:
    """One server for these tests."""
    certificate, key = authority.certificate_files()
    passwords = dict.fromkeys((USER, MANY, LARGE), PASSWORD)
    with DovecotMailbox(passwords, certificate=certificate, key=key) as server:
        server.put_many(MANY, MANY_MAILS)
        server.put(LARGE, LARGE_MAIL)
        yield server


@pytest.fixture(params=list(MailboxSecurity), ids=str)
def mailbox(request: pytest.FixtureRequest, dovecot: DovecotMailbox, authority: Authority) -> Mailbox:
    """The server with five mails, by each protocol."""
    dovecot.clear(USER)
    dovecot.put(USER, *MAILS)
    return Mailbox(dovecot, request.param, authority)


async def uids_of(session: MailboxSession) -> list[str]:
    """Return the uids, the oldest first."""
    return [entry.uid for entry in await session.entries()]


async def fetched(session: MailboxSession, uids: list[str], *, max_bytes: int = PLENTY) -> list[FetchedMail]:
    """Return these mails."""
    return [mail async for mail in session.fetch(uids, max_bytes=max_bytes)]


async def test_all_mails_are_listed(mailbox: Mailbox) -> None:
    """Each once, the oldest first, with its size."""
    async with mailbox.session() as session:
        entries = await session.entries()
    assert [entry.size_bytes for entry in entries] == [len(mail) for mail in MAILS]
    assert len({entry.uid for entry in entries}) == len(MAILS)


async def test_an_empty_mailbox_has_no_mails(mailbox: Mailbox) -> None:
    """Which is no fault."""
    mailbox.dovecot.clear(USER)
    async with mailbox.session() as session:
        assert list(await session.entries()) == []


async def test_uids_stay_over_sessions(mailbox: Mailbox) -> None:
    """What names a mail in one session names it in the next, in the same epoch."""
    async with mailbox.session() as session:
        first = session.epoch, await uids_of(session)
    mailbox.dovecot.put(USER, b"Subject: one more\r\n\r\n")
    async with mailbox.session() as session:
        assert (session.epoch, (await uids_of(session))[:-1]) == first


async def test_a_header_is_read(mailbox: Mailbox) -> None:
    """Up to the empty line behind it."""
    async with mailbox.session() as session:
        assert await session.head((await uids_of(session))[1]) == b"Subject: mail 1\r\n\r\n"


async def test_mails_come_in_the_order_that_was_asked_for(mailbox: Mailbox) -> None:
    """Whatever the order of the server."""
    async with mailbox.session() as session:
        uids = (await uids_of(session))[::-1]
        assert await fetched(session, uids) == [
            FetchedMail(uid, mail) for uid, mail in zip(uids, MAILS[::-1], strict=True)
        ]


@pytest.mark.parametrize("uid", ["999999", "000003e7ffffffff", "no-such", ""])
async def test_a_mail_that_is_not_there_has_a_fault(mailbox: Mailbox, uid: str) -> None:
    """And the others come; it has no header either."""
    async with mailbox.session() as session:
        uids = await uids_of(session)
        mails = await fetched(session, [uids[0], uid, uids[1]])
        assert await session.head(uid) == b""
    assert [mail.data for mail in mails] == [MAILS[0], b"", MAILS[1]]
    assert [bool(mail.fault) for mail in mails] == [False, True, False]


async def test_a_mail_that_is_too_large_has_a_fault(mailbox: Mailbox) -> None:
    """It is not read, and the others come."""
    mailbox.dovecot.put(USER, b"Subject: larger\r\n\r\n" + LINE * 20)
    async with mailbox.session() as session:
        uids = await uids_of(session)
        mails = await fetched(session, [uids[0], uids[-1], uids[1]], max_bytes=1000)
    assert [mail.data for mail in mails] == [MAILS[0], b"", MAILS[1]]
    assert "at most 1000" in mails[1].fault


async def test_deleted_mails_are_gone_after_close(mailbox: Mailbox) -> None:
    """Those and no others."""
    async with mailbox.session() as session:
        uids = await uids_of(session)
        await session.delete([uids[0], uids[3]])
    assert mailbox.dovecot.mails(USER) == [MAILS[1], MAILS[2], MAILS[4]]


async def test_an_aborted_session_stays_ended(mailbox: Mailbox) -> None:
    """Whatever is asked of it is a fault, and nothing was deleted that was not asked for."""
    session = await mailbox.open()
    session.abort()
    with pytest.raises(MailboxFault):
        await session.entries()
    assert mailbox.dovecot.mails(USER) == MAILS


@pytest.mark.parametrize(
    "mail",
    [
        b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\n",
        b"Subject: octets\r\n\r\n" + bytes(set(range(1, 256)) - {10, 13}) + b"\r\n",
        b"Subject: no line end at the end\r\n\r\nhere",
        b"\r\n" * 3,
        b"Subject: a long line\r\n\r\n" + b"x" * 100_000 + b"\r\n",
        b"Subject: IMAP\r\n\r\n)\r\n* 1 EXISTS\r\n* BYE\r\n{10}\r\n+OK\r\n",
    ],
    ids=["dots", "octets", "no line end", "empty lines", "long line", "like an answer"],
)
async def test_a_mail_comes_byte_for_byte(mailbox: Mailbox, mail: bytes) -> None:
    """Whatever its octets look like."""
    mailbox.dovecot.clear(USER)
    mailbox.dovecot.put(USER, mail)
    async with mailbox.session() as session:
        (found,) = await fetched(session, await uids_of(session))
    # RFC 1939 section 3: what ends a mail is CRLF and a dot, so POP3 has a line end where there was none.
    assert found.data == (mail if not mailbox.is_pop3 or mail.endswith(b"\r\n") else mail + b"\r\n")


async def test_octets_of_zero(mailbox: Mailbox) -> None:
    """By POP3 they come as they are; IMAP has no way to say them (RFC 9051 section 4.3.1), and Dovecot says 0x80."""
    mailbox.dovecot.put(USER, b"Subject: zeros\r\n\r\na\0b\0\0\r\n")
    async with mailbox.session() as session:
        (found,) = await fetched(session, (await uids_of(session))[-1:])
    zero = b"\0" if mailbox.is_pop3 else b"\x80"
    assert found.data == b"Subject: zeros\r\n\r\na%sb%s%s\r\n" % (zero, zero, zero)


async def test_a_thousand_mails_are_listed_and_read(mailbox: Mailbox) -> None:
    """All of them, in one session."""
    async with mailbox.session(MANY) as session:
        mails = await fetched(session, await uids_of(session))
    assert [mail.data for mail in mails] == MANY_MAILS


async def test_a_mail_of_50_mb_arrives_whole(mailbox: Mailbox) -> None:
    """And tells meanwhile how far it is."""
    progress: list[int] = []
    async with mailbox.session(LARGE) as session:
        uids = await uids_of(session)
        mails = [mail async for mail in session.fetch(uids, max_bytes=PLENTY, progress=progress.append)]
    assert [mail.data == LARGE_MAIL for mail in mails] == [True]
    assert len(progress) > 50
    assert progress == sorted(progress)
    assert progress[-1] == len(LARGE_MAIL)


async def test_a_server_that_dies_in_the_middle_of_a_mail(mailbox: Mailbox) -> None:
    """Is a fault, that waiting may mend."""
    told: list[int] = []

    def kill_once(size: int) -> None:
        if not told:
            mailbox.dovecot.kill()
        told.append(size)

    session = await mailbox.open(LARGE)
    uids = await uids_of(session)
    try:
        with pytest.raises(MailboxFault) as caught:
            assert [mail async for mail in session.fetch(uids, max_bytes=PLENTY, progress=kill_once)] == []
    finally:
        session.abort()
        mailbox.dovecot.start()
    assert caught.value.trouble is Trouble.UNREACHABLE


async def test_a_wrong_password_is_a_matter_for_a_person(mailbox: Mailbox) -> None:
    """Whoever gave it hears of it, and it shows nowhere."""
    wrong = Login(USER, "correct horse")
    logins = NotedLogins(wrong)
    with pytest.raises(MailboxFault) as caught:
        await mailbox.open(logins=logins)
    assert caught.value.trouble is Trouble.LOGIN
    assert logins.noted == [wrong]
    assert wrong.secret not in str(caught.value)


async def test_a_certificate_of_a_stranger_is_refused(mailbox: Mailbox) -> None:
    """Under TLS; the fault says what to change. In plaintext on loopback there is none."""
    if not mailbox.security.is_implicit_tls:
        await (await mailbox.open(trusting=False)).close()
        return
    with pytest.raises(MailboxFault, match="ca_file") as caught:
        await mailbox.open(trusting=False)
    assert caught.value.trouble is Trouble.CONFIGURATION


async def test_nobody_listens(mailbox: Mailbox) -> None:
    """Is a fault that waiting may mend."""
    mailbox.dovecot.kill()
    try:
        with pytest.raises(MailboxFault) as caught:
            await mailbox.open()
    finally:
        mailbox.dovecot.start()
    assert caught.value.trouble is Trouble.UNREACHABLE
