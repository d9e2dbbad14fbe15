"""A secret is given in each possible way, and searched for in all that the daemon says and writes."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from hmac import new as hmac
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.background_relay import background_relay
from tests.support.canary import CANARY, traces_in
from tests.support.daemon import Answer, Daemon, mail_settings
from tests.support.mailalert_command import mailalert
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.waiting import until

USER = "alerts"
BASE64 = b64encode(CANARY.encode()).decode()
BEARER = {"Authorization": f"Bearer {CANARY}"}
BASIC = {"Authorization": "Basic " + b64encode(f"{USER}:{CANARY}".encode()).decode()}


def refuse(line: str) -> str:
    """Refuse the login, and repeat the password: clear, and as it came."""
    return f"535-5.7.8 not {CANARY}\r\n535 5.7.8 nor {BASE64} nor {line}"


def settings_for(relay: ScriptedSmtp, password: str = "") -> dict[str, object]:
    settings = mail_settings(relay.port)
    return settings | {"relay": f"smtp://{USER}{password}@127.0.0.1:{relay.port}", "drain_timeout": "1s"}


def by_variable(folder: Path, relay: ScriptedSmtp) -> Daemon:
    return Daemon(folder / "var", **settings_for(relay), relay_password=CANARY, http__token=CANARY)


def by_url(folder: Path, relay: ScriptedSmtp) -> Daemon:
    return Daemon(folder / "var", **settings_for(relay, f":{quote(CANARY, safe='')}"), http__token=CANARY)


def by_file(folder: Path, relay: ScriptedSmtp) -> Daemon:
    file = folder / "secret"
    file.write_text(CANARY + "\n")
    return Daemon(folder / "var", **settings_for(relay), relay_password_file=file, http__token_file=file)


def by_credential(folder: Path, relay: ScriptedSmtp) -> Daemon:
    for name in ("relay_password", "http_token"):
        (folder / name).write_text(CANARY)
    daemon = Daemon(folder / "var", **settings_for(relay))
    daemon.variables["CREDENTIALS_DIRECTORY"] = str(folder)
    return daemon


def by_toml(folder: Path, relay: ScriptedSmtp) -> Daemon:
    file = folder / "mailalert.toml"
    file.write_text(f"relay_password = '{CANARY}'\n[http]\ntoken = '{CANARY}'\n")
    return Daemon(folder / "var", "--config", str(file), **settings_for(relay))


def said_by(daemon: Daemon) -> Iterator[bytes]:
    """Yield the log, the command line and every file of the data directory."""
    yield from (line.encode() for line in daemon.lines)
    yield Path(f"/proc/{daemon.pid}/cmdline").read_bytes()
    for file in daemon.data_dir.iterdir():
        yield file.read_bytes()


def said_in(answers: list[Answer]) -> Iterator[bytes]:
    for answer in answers:
        yield answer.body
        yield repr(answer.headers).encode()


@pytest.mark.parametrize(
    ("given", "mechanism"),
    [
        (by_variable, "PLAIN"),
        (by_variable, "LOGIN"),
        (by_url, "PLAIN"),
        (by_file, "LOGIN"),
        (by_credential, "PLAIN"),
        (by_toml, "LOGIN"),
    ],
)
def test_a_secret_in_use_shows_nowhere(
    tmp_path: Path,
    given: Callable[[Path, ScriptedSmtp], Daemon],
    mechanism: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Neither the relay's password, though the relay repeats it, nor the token, though clients send it about."""
    with background_relay(capabilities=[f"AUTH {mechanism}"], AUTH=refuse) as relay, given(tmp_path, relay) as daemon:
        daemon.start()
        accepted = daemon.request("POST", "/alerts", "a", BEARER)
        daemon.wait_for_event("relay_fault")
        answers = [
            accepted,
            daemon.get("/healthz", **BEARER),
            daemon.get(accepted.headers["location"], **BASIC),
            daemon.request("POST", f"/alerts?token={quote(CANARY)}&subject=a", "a", BEARER),
            daemon.get(f"/nowhere?token={quote(CANARY)}", **BEARER),
            daemon.request("DELETE", f"/alerts?token={CANARY}", headers=BEARER),
        ]
        assert [answer.status for answer in answers] == [202, 200, 200, 202, 404, 405]
        said = [*said_by(daemon), *said_in(answers)]
        assert daemon.stop() == 0
        assert traces_in([*said, *(line.encode() for line in daemon.lines)]) == []
    assert traces_in(text.encode() for text in capfd.readouterr()) == []
    assert traces_in(line.encode() for line in relay.commands), "the password was never used"


QUOTED = quote(CANARY, safe="")
NTFY_AUTH = urlsafe_b64encode(f"Bearer {CANARY}".encode()).decode()


@pytest.mark.parametrize("locked", [True, False], ids=["asked for", "not asked for"])
def test_a_token_in_the_address_shows_nowhere(tmp_path: Path, *, locked: bool) -> None:
    """Neither in an alert that is read from the query, nor in answers, logs and receipts; by every way but headers."""
    tokens = {"http__token": CANARY} if locked else {}
    with Daemon(tmp_path / "var", **mail_settings(1), **tokens) as daemon:
        daemon.start()
        answers = [
            daemon.request("POST", f"/alerts/goalert?token={QUOTED}&summary=a&details=b"),
            daemon.request("POST", f"/alerts?token={QUOTED}", '{"unknown": "body"}', {"Idempotency-Key": "k"}),
            daemon.request("PUT", f"/alerts?auth={NTFY_AUTH}&subject=a", "a"),
            daemon.request("POST", "/alerts", "a", {"X-Gotify-Key": CANARY}),
            daemon.get(f"/alerts?token={QUOTED}"),
            daemon.get(f"/alerts?token={QUOTED}&limit=x"),
            daemon.get(f"/openapi.json?TOKEN={QUOTED}"),
            daemon.get(f"/nowhere?token={QUOTED}"),
        ]
        assert [answer.status for answer in answers] == [202, 202, 202, 202, 200, 422, 200, 404]
        answers += [daemon.get(f"{answer.headers['location']}?token={QUOTED}") for answer in answers[:4]]
        daemon.wait_for_event("alert_accepted", count=4)
        assert traces_in([*said_by(daemon), *said_in(answers)]) == []


def test_what_signs_shows_nowhere(tmp_path: Path) -> None:
    """The secret of a token stands in no answer, no log and not in the journal; a signature is no secret."""
    (tmp_path / "secret").write_text(CANARY)
    (tmp_path / "secret").chmod(0o600)
    table = {"name": "sentry", "sha256": sha256(b"t0ken").hexdigest(), "hmac_secret_file": str(tmp_path / "secret")}
    signature = {"Sentry-Hook-Signature": hmac(CANARY.encode(), b"a", "sha256").hexdigest()}
    with Daemon(tmp_path / "var", **mail_settings(1), tokens=json.dumps([table])) as daemon:
        daemon.start()
        answers = [daemon.request("POST", "/alerts", body, signature) for body in ("a", "b")]
        assert [answer.status for answer in answers] == [202, 401]
        daemon.wait_for_event("request_refused")
        assert traces_in([*said_by(daemon), *said_in(answers)]) == []


REPEATED: dict[str, dict[str, Any]] = {
    "unreadable reply to the login": {"AUTH": f"hello {CANARY} {BASE64}\r\n".encode()},
    "sender refused": {"MAIL": f"550 5.7.1 {USER} {CANARY} {BASE64} may not send"},
    "recipient deferred": {"RCPT": f"450 4.2.1 {CANARY} {BASE64} is over quota"},
    "mail refused": {"DOT": f"554 5.7.1 {CANARY} {BASE64} sends spam"},
    "unreadable reply to the mail": {"MAIL": f"hello {CANARY} {BASE64}\r\n".encode()},
}


@pytest.mark.parametrize("script", REPEATED.values(), ids=REPEATED.keys())
def test_a_relay_that_repeats_the_password_is_not_quoted(tmp_path: Path, script: dict[str, Any]) -> None:
    """At whatever step a relay repeats the password, it stands in no log, no answer and not in the journal."""
    events = ("relay_fault", "mail_deferred", "mail_refused")
    with background_relay(capabilities=["AUTH PLAIN"], **script) as relay, by_variable(tmp_path, relay) as daemon:
        daemon.start()
        accepted = daemon.request("POST", "/alerts", "a", BEARER)
        until(lambda: any(map(daemon.events, events)), why=lambda: daemon.lines)
        answers = [daemon.get(path, **BEARER) for path in (accepted.headers["location"], "/healthz")]
        assert traces_in([*said_by(daemon), *said_in(answers)]) == []
        assert daemon.stop() == 0
        assert traces_in(said.encode() for said in daemon.lines) == []


def test_a_wrong_token_shows_nowhere(tmp_path: Path) -> None:
    """Somebody who mistypes the token, or sends another secret, does not find it in the log."""
    headers: list[dict[str, str]] = [BEARER, BASIC, {"Authorization": CANARY}, {"X-Token": CANARY}, {"Cookie": CANARY}]
    with Daemon(tmp_path / "var", **mail_settings(1), http__token="another") as daemon:
        daemon.start()
        answers = [daemon.request("POST", f"/alerts?token={quote(CANARY)}", "a", sent) for sent in headers]
        assert {answer.status for answer in answers} == {401}
        daemon.wait_for_event("request_refused", count=len(headers))
        assert traces_in([*said_by(daemon), *said_in(answers)]) == []


@pytest.mark.parametrize(
    ("variables", "toml"),
    [
        ({"RELAY": f"smtps://{USER}:{CANARY}@mail.example.org"}, ""),
        ({"HTTP__TOKEN": f"{CANARY} ü"}, ""),
        ({"HTTP__TOKN": CANARY}, ""),
        ({"HTTP__PORT": "x", "RELAY_PASSWORD": CANARY, "HTTP__TOKEN": CANARY}, ""),
        ({"RELAY_PASSWORD_FILE": "two-lines"}, ""),
        ({}, f"relay_password = '{CANARY}"),
        ({}, f"[http]\ntokn = '{CANARY}'"),
    ],
    ids=["URL", "no ASCII", "name", "another", "file", "broken TOML", "TOML name"],
)
def test_a_malformed_secret_is_not_repeated(tmp_path: Path, variables: dict[str, str], toml: str) -> None:
    """The complaint with which `serve` ends names the setting, and nothing of what it holds."""
    (tmp_path / "two-lines").write_text(f"{CANARY}\n{CANARY}\n")
    (tmp_path / "mailalert.toml").write_text(toml)
    given = {"RELAY": f"smtps://{USER}@mail.example.org", "MAIL_FROM": "a@example.org", "MAIL_TO": "b@example.org"}
    environ = {f"MAILALERT_{name}": value for name, value in (given | variables).items()}
    done = mailalert("serve", "--config", "mailalert.toml", home=tmp_path, environ=environ)
    assert done.returncode == 78
    assert done.stderr
    assert b"Traceback" not in done.stderr
    assert traces_in([done.stderr, done.stdout]) == []
