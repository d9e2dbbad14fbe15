"""`mailalert check` against a scripted relay: it says what works, and what to do about the rest."""

from email import message_from_bytes
from pathlib import Path

import pytest

from tests.support.mailalert_command import mailalert, mailalert_beside
from tests.support.scripted_smtp import CAPABILITIES, ScriptedSmtp

CANARY = "canary-8f3a"
ADDRESSES = {"MAILALERT_MAIL_FROM": "alerts@example.org", "MAILALERT_MAIL_TO": "ops@example.org; boss@example.org"}
WITH_LOGIN = (*CAPABILITIES, "AUTH PLAIN LOGIN")


def settings(server: ScriptedSmtp, user: str = "") -> dict[str, str]:
    """Return the environment for a relay at `server`, with a login if there is a user."""
    environ = ADDRESSES | {"MAILALERT_RELAY": f"smtp://{user}127.0.0.1:{server.port}"}
    return environ | ({"MAILALERT_RELAY_PASSWORD": CANARY} if user else {})


async def test_a_relay_that_works_ends_with_0(tmp_path: Path) -> None:
    """Every step is told, and no mail is sent unasked."""
    async with ScriptedSmtp(capabilities=WITH_LOGIN) as server:
        done = await mailalert_beside("check", home=tmp_path, environ=settings(server, "alerts@"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"ok      connected" in done.stdout
    assert b"ok      logged in as alerts by PLAIN" in done.stdout
    assert server.received == []


async def test_send_mails_a_test_to_everybody(tmp_path: Path) -> None:
    """With --send one mail goes to all recipients, made as alerts are."""
    async with ScriptedSmtp() as server:
        done = await mailalert_beside("check", "--send", home=tmp_path, environ=settings(server))
    assert done.returncode == 0
    assert done.stdout.count(b"the relay took the test mail") == 2
    (mail,) = server.mails
    assert mail.recipients == ("ops@example.org", "boss@example.org")
    message = message_from_bytes(mail.data)
    assert message["Subject"].endswith("Test mail of mailalert check")
    assert message["Auto-Submitted"] == "auto-generated"


async def test_each_recipient_has_its_outcome(tmp_path: Path) -> None:
    """One refused recipient is named, and the command fails."""
    async with ScriptedSmtp(RCPT=["250 ok", "550 5.1.1 nobody here"]) as server:
        done = await mailalert_beside("check", "--send", home=tmp_path, environ=settings(server))
    said = done.stdout.decode()
    assert done.returncode == 75
    assert "ok      the relay took the test mail to ops@example.org" in said
    assert "FAILED  boss@example.org: " in said
    assert "nobody here" in said


async def test_a_refused_password_tells_what_to_do_and_hides_it(tmp_path: Path) -> None:
    """535 ends with 78, with advice and the dialogue, in which the password does not show."""
    async with ScriptedSmtp(capabilities=WITH_LOGIN, AUTH=f"535 5.7.8 no: {CANARY}") as server:
        done = await mailalert_beside("check", home=tmp_path, environ=settings(server, "alerts@"))
    said = done.stdout.decode()
    assert done.returncode == 78
    assert "authorisation code" in said
    assert "C: AUTH PLAIN" in said
    assert CANARY not in said + done.stderr.decode()


async def test_a_sender_that_is_refused_tells_to_take_the_account(tmp_path: Path) -> None:
    """Providers that insist on the account as sender are known."""
    async with ScriptedSmtp(capabilities=WITH_LOGIN, MAIL="501 mail from must equal authorized user") as server:
        environ = settings(server, "me%40example.com@")
        done = await mailalert_beside("check", "--send", home=tmp_path, environ=environ)
    assert done.returncode == 75
    assert "set mail_from to me@example.com" in done.stdout.decode()


async def test_a_relay_that_hangs_up_is_a_temporary_failure(tmp_path: Path) -> None:
    """A greeting of 421 ends with 75, and shows what the relay said."""
    async with ScriptedSmtp(GREETING="421 too busy") as server:
        done = await mailalert_beside("check", home=tmp_path, environ=settings(server))
    assert done.returncode == 75
    assert "S: 421 too busy" in done.stdout.decode()


def test_missing_settings_end_with_78(tmp_path: Path) -> None:
    """The settings are checked first."""
    done = mailalert("check", home=tmp_path)
    assert done.returncode == 78
    assert "MAILALERT_RELAY" in done.stderr.decode()


@pytest.mark.parametrize("config", ["./absent.toml", "config"])
def test_a_file_that_is_not_there_ends_with_78(tmp_path: Path, config: str) -> None:
    """--config names a file that must exist."""
    (tmp_path / "config").mkdir()
    assert mailalert("check", "--config", config, home=tmp_path).returncode == 78
