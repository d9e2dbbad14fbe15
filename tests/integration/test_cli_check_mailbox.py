"""`mailalert check` with a mailbox of a real Dovecot: it says what works and what to do, and leaves all as it is."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.dovecot_mailbox import DovecotMailbox
from tests.support.mailalert_command import mailalert_beside
from tests.support.oauth_server import TokenServer, refusal
from tests.support.ports import free_port
from tests.support.scripted_smtp import ScriptedSmtp

USER, PASSWORD = "alerts", "canary-8f3a"
MAILS = (b"Subject: one\r\n\r\n1\r\n", b"Subject: two\r\n\r\n22\r\n")


@pytest.fixture(scope="module")
def dovecot(authority: Authority) -> Iterator[DovecotMailbox]:
    certificate, key = authority.certificate_files()
    with DovecotMailbox({USER: PASSWORD}, certificate=certificate, key=key) as server:
        server.put(USER, *MAILS)
        yield server


async def checked(home: Path, url: str, **mailbox: str) -> tuple[int, str]:
    """Return the exit code and what was said, with a relay that works."""
    given = {"url": url, "password": PASSWORD} | mailbox
    environ = {f"MAILALERT_MAILBOX__{name.upper()}": value for name, value in given.items() if value}
    return await _checked(home, environ)


async def _checked(home: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    async with ScriptedSmtp() as relay:
        settings = {
            "MAILALERT_RELAY": f"smtp://127.0.0.1:{relay.port}",
            "MAILALERT_MAIL_FROM": "alerts@example.org",
            "MAILALERT_MAIL_TO": "ops@example.org",
        }
        done = await mailalert_beside("check", home=home, environ=settings | dict(environ))
    assert PASSWORD.encode() not in done.stdout + done.stderr
    assert done.stderr == b""
    return done.returncode, done.stdout.decode().partition("\nMailbox ")[2]


@pytest.mark.parametrize(
    ("scheme", "used"), [("imaps", "IDLE, UIDPLUS, MOVE, ID"), ("pop3s", "PIPELINING, TOP")], ids=["imap", "pop3"]
)
async def test_a_mailbox_that_works_ends_with_0(
    dovecot: DovecotMailbox, authority: Authority, tmp_path: Path, scheme: str, used: str
) -> None:
    """Link, certificate, login, mails, and what the server can do."""
    url = f"{scheme}://{USER}@127.0.0.1:{dovecot.ports[scheme]}"
    code, said = await checked(tmp_path, url, ca_file=str(authority.bundle))
    assert code == 0
    assert said.startswith(url)
    assert "ok      encrypted by TLSv1.3; the certificate is for CN=mail test" in said
    assert f"ok      logged in as {USER} by PLAIN" in said
    assert f"ok      of what it can do this is used: {used}" in said
    assert f"ok      INBOX holds 2 mails, {sum(map(len, MAILS))} bytes in all" in said


@pytest.mark.parametrize("scheme", ["imap", "pop3"])
async def test_nothing_is_read_or_removed(dovecot: DovecotMailbox, tmp_path: Path, scheme: str) -> None:
    """Whatever the settings would have the daemon do."""
    url = f"{scheme}://{USER}@127.0.0.1:{dovecot.ports[scheme]}"
    code, said = await checked(tmp_path, url, after="delete", from_beginning="true")
    assert code == 0
    assert "a mail that was acted upon is deleted" in said
    assert dovecot.mails(USER) == list(MAILS)
    assert not [flags for flags in dovecot.flags(USER) if set(flags) & set("ST")]


async def test_the_dialogue_of_pop3_is_shown_without_the_password(dovecot: DovecotMailbox, tmp_path: Path) -> None:
    """The server's administrator may want to see it."""
    _, said = await checked(tmp_path, f"pop3://{USER}@127.0.0.1:{dovecot.ports['pop3']}")
    assert "What was said (C: this machine, S: the server):\n  S: +OK Dovecot" in said
    assert "  C: AUTH PLAIN ***" in said
    assert "note    not encrypted" in said


@pytest.mark.parametrize("scheme", ["imap", "pop3"])
async def test_a_refused_password_ends_with_78(dovecot: DovecotMailbox, tmp_path: Path, scheme: str) -> None:
    """With what providers want instead, and that the protocol may be turned off."""
    url = f"{scheme}://{USER}@127.0.0.1:{dovecot.ports[scheme]}"
    code, said = await checked(tmp_path, url, password="wrong")
    assert code == 78
    assert "FAILED  mailbox " in said
    assert "do      check user and password; many providers want an app password" in said
    assert f"do      see whether {scheme.upper()} is turned on for the account" in said
    assert "wrong" not in said


async def test_a_folder_that_is_not_there_ends_with_78(dovecot: DovecotMailbox, tmp_path: Path) -> None:
    """The complaint names it, and its setting."""
    url = f"imap://{USER}@127.0.0.1:{dovecot.ports['imap']}"
    code, said = await checked(tmp_path, url, folder="Lost")
    assert code == 78
    assert 'folder "Lost"' in said
    assert "mailbox.folder" in said


@pytest.mark.parametrize("scheme", ["imaps", "pop3s"])
async def test_a_certificate_that_nobody_trusts_ends_with_78(
    dovecot: DovecotMailbox, tmp_path: Path, scheme: str
) -> None:
    """Before the password is sent."""
    code, said = await checked(tmp_path, f"{scheme}://{USER}@127.0.0.1:{dovecot.ports[scheme]}")
    assert code == 78
    assert "name its certificate as ca_file" in said


async def test_a_server_that_is_not_there_ends_with_75(tmp_path: Path) -> None:
    """It may be back later."""
    code, said = await checked(tmp_path, f"imaps://{USER}@127.0.0.1:{free_port()}")
    assert code == 75
    assert "do      nothing listens on port" in said


async def test_a_token_that_is_not_given_ends_with_78(dovecot: DovecotMailbox, tmp_path: Path) -> None:
    """The token server is asked as the daemon would ask it."""
    async with TokenServer(refusal("invalid_client", "the client is not known")) as tokens:
        code, said = await checked(
            tmp_path,
            f"imap://{USER}@127.0.0.1:{dovecot.ports['imap']}",
            password="",
            oauth__flow="client_credentials",
            oauth__token_url=tokens.url,
            oauth__client_id="id",
            oauth__client_secret=PASSWORD,
        )
    assert code == 78
    assert "the client is not known" in said
    assert "do      nothing was said to the server" in said


async def test_without_a_mailbox_none_is_visited(tmp_path: Path) -> None:
    """Nor is there a word of one."""
    assert await _checked(tmp_path, {}) == (0, "")
