"""`mailalert check` against a scripted relay: it says what works, and what to do about the rest."""

import json
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.certificates import Authority
from tests.support.mailalert_command import mailalert, mailalert_beside
from tests.support.oauth_server import TokenServer, refusal
from tests.support.scripted_smtp import CAPABILITIES, ScriptedSmtp

CANARY = "canary-8f3a"
ADDRESSES = {"MAILALERT_MAIL_FROM": "alerts@example.org", "MAILALERT_MAIL_TO": "ops@example.org; boss@example.org"}
WITH_LOGIN = (*CAPABILITIES, "AUTH PLAIN LOGIN")


def settings(server: ScriptedSmtp, user: str = "") -> dict[str, str]:
    """Return the environment for a relay at `server`, with a login if there is a user."""
    environ = ADDRESSES | {"MAILALERT_RELAY": f"smtp://{user}127.0.0.1:{server.port}"}
    return environ | ({"MAILALERT_RELAY_PASSWORD": CANARY} if user else {})


def several(*tables: dict[str, Any]) -> dict[str, str]:
    """Return the environment for these relays."""
    return ADDRESSES | {"MAILALERT_RELAYS": json.dumps(tables)}


async def test_a_relay_that_works_ends_with_0(tmp_path: Path) -> None:
    """Every step is told, and no mail is sent unasked."""
    async with ScriptedSmtp(capabilities=WITH_LOGIN) as server:
        done = await mailalert_beside("check", home=tmp_path, environ=settings(server, "alerts@"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"ok      connected" in done.stdout
    assert b"ok      logged in as alerts by PLAIN" in done.stdout
    assert server.received == []


async def test_the_whole_dialogue_is_shown_without_the_password(tmp_path: Path) -> None:
    """Also when all is well: the administrator of the relay may want to see it."""
    async with ScriptedSmtp(capabilities=WITH_LOGIN) as server:
        done = await mailalert_beside("check", home=tmp_path, environ=settings(server, "alerts@"))
    said = done.stdout.decode()
    dialogue = [line.strip() for line in said.splitlines() if line.startswith(("  C: ", "  S: "))]
    assert dialogue[0] == "S: 220 scripted.test ESMTP"
    assert dialogue[1].startswith("C: EHLO ")
    assert "C: AUTH PLAIN ***" in dialogue
    assert dialogue[-2:] == ["C: QUIT", "S: 250 2.0.0 ok"]
    assert "PIPELINING, SIZE 10485760" in said
    assert CANARY not in said


async def test_every_relay_is_visited(tmp_path: Path) -> None:
    """One that fails does not hide one that works, and is what the exit code tells."""
    async with ScriptedSmtp(GREETING="554 no service") as bad, ScriptedSmtp() as good:
        tables = [{"name": name, "url": f"smtp://127.0.0.1:{s.port}"} for name, s in (("bad", bad), ("good", good))]
        done = await mailalert_beside("check", "--send", home=tmp_path, environ=several(*tables))
    first, second = done.stdout.decode().split('Relay "good"')
    assert done.returncode == 75
    assert 'FAILED  relay "bad": ' in first
    assert second.count("the relay took the test mail") == 2
    assert b"over the relay good" in good.mails[0].data


async def test_every_receiver_gets_a_test_mail(tmp_path: Path) -> None:
    """It is told who they are, and a mail goes to each as its alerts would."""
    tables = [{"name": "dba", "to": "dba@example.org", "bcc": "audit@example.org", "minimum_severity": "error"}]
    async with ScriptedSmtp() as server:
        environ = settings(server) | {"MAILALERT_RECEIVERS": json.dumps(tables)}
        done = await mailalert_beside("check", "--send", home=tmp_path, environ=environ)
    said = done.stdout.decode()
    assert done.returncode == 0
    assert 'ok      receiver "default": ops@example.org; boss@example.org\n' in said
    assert 'receiver "dba": dba@example.org; bcc audit@example.org (from severity error on)' in said
    first, second = server.mails
    assert first.recipients == ("ops@example.org", "boss@example.org")
    assert second.recipients == ("dba@example.org", "audit@example.org")


async def test_the_certificate_is_shown(tmp_path: Path, authority: Authority) -> None:
    """Whose it is, from whom, and until when."""
    async with ScriptedSmtp(tls=authority.server_context(), implicit_tls=True) as server:
        relay = {"url": f"smtps://127.0.0.1:{server.port}", "ca_file": str(authority.bundle)}
        done = await mailalert_beside("check", home=tmp_path, environ=several(relay))
    said = done.stdout.decode()
    assert done.returncode == 0
    assert "ok      encrypted by TLSv1.3; the certificate is for CN=mail test, localhost, 127.0.0.1" in said
    assert "ok      it is from Test Authority, and good until 2099-12-31 (" in said


async def test_a_token_is_fetched_and_used(tmp_path: Path) -> None:
    """The token server is asked as the daemon would ask it, and no token shows."""
    async with TokenServer() as tokens, ScriptedSmtp(capabilities=(*CAPABILITIES, "AUTH XOAUTH2")) as server:
        done = await mailalert_beside("check", home=tmp_path, environ=several(_by_token(server, tokens)))
    said = done.stdout.decode()
    assert done.returncode == 0
    assert f"logged in as alerts by XOAUTH2, with a token from {tokens.url}" in said
    assert "token-1" not in said


async def test_a_token_that_is_not_given_ends_with_78(tmp_path: Path) -> None:
    """What the token server says is told, without the client's secret."""
    answer = refusal("invalid_client", "the client is not known")
    async with TokenServer(answer) as tokens, ScriptedSmtp() as server:
        done = await mailalert_beside("check", home=tmp_path, environ=several(_by_token(server, tokens)))
    said = done.stdout.decode()
    assert done.returncode == 78
    assert "the client is not known" in said
    assert "do      nothing was said to the relay" in said
    assert CANARY not in said


def _by_token(server: ScriptedSmtp, tokens: TokenServer) -> dict[str, Any]:
    oauth = {"flow": "client_credentials", "token_url": tokens.url, "client_id": "id", "client_secret": CANARY}
    return {"url": f"smtp://alerts@127.0.0.1:{server.port}", "oauth": oauth}


async def test_the_record_for_dkim_is_printed(tmp_path: Path) -> None:
    """It can be copied into the zone, and the test mail is signed."""
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(key)
    dkim = {"MAILALERT_DKIM__SELECTOR": "s1", "MAILALERT_DKIM__KEY_FILE": "key.pem"}
    async with ScriptedSmtp() as server:
        done = await mailalert_beside("check", "--send", home=tmp_path, environ=settings(server) | dkim)
    assert done.returncode == 0
    assert 's1._domainkey.example.org TXT "v=DKIM1; k=ed25519; p=' in done.stdout.decode()
    assert server.mails[0].data.startswith(b"DKIM-Signature: ")


async def test_a_key_that_cannot_sign_ends_with_78(tmp_path: Path) -> None:
    """Before any relay is visited."""
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    dkim = {"MAILALERT_DKIM__SELECTOR": "s1", "MAILALERT_DKIM__KEY_FILE": "key.pem"}
    async with ScriptedSmtp() as server:
        done = await mailalert_beside("check", home=tmp_path, environ=settings(server) | dkim)
    assert done.returncode == 78
    assert "FAILED  dkim.key_file: " in done.stdout.decode()
    assert server.connections == 0


async def test_alarm_runs_the_command(tmp_path: Path) -> None:
    """With --alarm a test alarm goes the other way; without it nothing does."""
    command = {"MAILALERT_ALARM__COMMAND": f"/usr/bin/tee {tmp_path}/alarm.json"}
    async with ScriptedSmtp() as server:
        silent = await mailalert_beside("check", home=tmp_path, environ=settings(server) | command)
        assert not (tmp_path / "alarm.json").exists()
        done = await mailalert_beside("check", "--alarm", home=tmp_path, environ=settings(server) | command)
    assert (silent.returncode, done.returncode) == (0, 0)
    assert b"alarm.command: it took the test alarm" in done.stdout
    assert json.loads((tmp_path / "alarm.json").read_bytes())["cause"] == "test"


async def test_an_alarm_that_fails_ends_with_75(tmp_path: Path) -> None:
    """Better known now than in an emergency."""
    async with ScriptedSmtp() as server:
        environ = settings(server) | {"MAILALERT_ALARM__COMMAND": "/bin/false"}
        done = await mailalert_beside("check", "--alarm", home=tmp_path, environ=environ)
    assert done.returncode == 75
    assert b"FAILED  alarm.command: the command ended with 1" in done.stdout


async def test_a_site_without_another_way_for_alarms_is_told(tmp_path: Path) -> None:
    """Mail cannot tell that mail does not work."""
    async with ScriptedSmtp() as server:
        done = await mailalert_beside("check", home=tmp_path, environ=settings(server))
    assert done.returncode == 0
    assert b"set url or command below [alarm]" in done.stdout


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
