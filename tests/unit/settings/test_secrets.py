"""Secrets come by themselves, from a file or from systemd, and never come out again."""

import traceback
from pathlib import Path

import pytest

from app.domain.errors import ConfigurationError
from app.settings.load import load_settings
from app.settings.model import Settings

CANARY = "canary-8f3a/71"
COMPLETE = {
    "MAILALERT_RELAY": "smtps://alerts@mail.example.org",
    "MAILALERT_RELAY_PASSWORD": "of-the-relay",
    "MAILALERT_MAIL_FROM": "alerts@example.org",
    "MAILALERT_MAIL_TO": "ops@example.org",
}


def load(environ: dict[str, str], toml: str = "") -> Settings:
    """Load from `environ` alone and a file that holds `toml`."""
    Path("mailalert.toml").write_text(toml, encoding="utf-8")
    return load_settings(config=Path("mailalert.toml"), sandbox=False, environ=environ)


def password(environ: dict[str, str], toml: str = "") -> str:
    """Return the relay's password as it is loaded."""
    (setup,) = load({k: v for k, v in COMPLETE.items() if "PASSWORD" not in k} | environ, toml).outgoing_relays()
    return setup.relay.password


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where files can be written."""
    monkeypatch.chdir(tmp_path)
    for name in ("relay_password", "http_token"):
        Path(name).write_text(f"{CANARY}\n")
    Path("empty").write_text("\n")
    Path("two-lines").write_text(f"{CANARY}\n{CANARY}\n")
    Path("binary").write_bytes(CANARY.encode() + b"\xff")


@pytest.mark.parametrize(
    ("environ", "toml"),
    [
        ({"MAILALERT_RELAY_PASSWORD": CANARY}, ""),
        ({"MAILALERT_RELAY_PASSWORD_FILE": "relay_password"}, ""),
        ({"CREDENTIALS_DIRECTORY": "."}, ""),
        ({}, f'relay_password = "{CANARY}"'),
        ({}, 'relay_password_file = "relay_password"'),
        ({"MAILALERT_RELAY": "smtps://alerts:canary-8f3a%2F71@mail.example.org"}, ""),
        ({"MAILALERT_RELAY_PASSWORD": CANARY, "CREDENTIALS_DIRECTORY": "/nowhere"}, ""),
    ],
    ids=["variable", "file variable", "credential", "toml", "toml file", "url", "no such credential"],
)
def test_the_password_comes_in_every_way(environ: dict[str, str], toml: str) -> None:
    """A file's last line end is no part of the secret."""
    assert password(environ, toml) == CANARY


@pytest.mark.parametrize(
    "environ",
    [
        {"MAILALERT_HTTP__TOKEN": CANARY},
        {"MAILALERT_HTTP__TOKEN_FILE": "http_token"},
        {"CREDENTIALS_DIRECTORY": ".", "MAILALERT_RELAY_PASSWORD": "p"},
    ],
    ids=["variable", "file", "credential"],
)
def test_the_token_comes_in_every_way(environ: dict[str, str]) -> None:
    """Nested settings have files and credentials too."""
    token = load(COMPLETE | environ).http.token
    assert token is not None
    assert token.get_secret_value() == CANARY


IN_THE_URL = {"MAILALERT_RELAY": "smtps://alerts:by-hand@mail.example.org"}


@pytest.mark.parametrize("environ", [{"MAILALERT_RELAY_PASSWORD": "by-hand"}, IN_THE_URL], ids=["variable", "url"])
def test_a_setting_wins_over_the_credential(environ: dict[str, str]) -> None:
    """What is set by hand is meant."""
    assert password(environ | {"CREDENTIALS_DIRECTORY": "."}) == "by-hand"


@pytest.mark.parametrize(
    ("environ", "toml"),
    [
        ({"MAILALERT_RELAY_PASSWORD": CANARY}, 'relay_password_file = "relay_password"'),
        (IN_THE_URL, 'relay_password_file = "relay_password"'),
        (IN_THE_URL, f'relay_password = "{CANARY}"'),
    ],
    ids=["password and file", "url and file", "url and password"],
)
def test_a_secret_given_twice_is_refused(environ: dict[str, str], toml: str) -> None:
    """Nobody can know which of two passwords is the right one."""
    with pytest.raises(ConfigurationError, match="relay_password: given twice"):
        password(environ, toml)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("nowhere", "cannot be read"),
        (".", "cannot be read"),
        ("empty", "is empty"),
        ("two-lines", "holds more than one line"),
        ("binary", "is not UTF-8 text"),
    ],
)
def test_a_useless_secret_file_is_refused(file: str, said: str) -> None:
    """The complaint names the setting and the file."""
    with pytest.raises(ConfigurationError, match=f"relay_password_file: {file} {said}"):
        password({"MAILALERT_RELAY_PASSWORD_FILE": file})


def test_settings_show_no_secret() -> None:
    """Neither repr nor str shows one."""
    environ = {"MAILALERT_RELAY": "smtps://u:canary-8f3a%2F71@h", "MAILALERT_HTTP__TOKEN": CANARY}
    settings = load({k: v for k, v in COMPLETE.items() if "PASSWORD" not in k} | environ)
    assert "canary" not in f"{settings!r} {settings}"


def test_the_logs_are_told_every_secret() -> None:
    """What must be blotted out is known in full."""
    settings = load(COMPLETE | {"MAILALERT_HTTP__TOKEN": CANARY})
    assert settings.secrets() == ("of-the-relay", CANARY)


WRONG = {"MAILALERT_HTTP__PORT": "wrong"}


@pytest.mark.parametrize(
    ("environ", "toml"),
    [
        (WRONG | {"MAILALERT_RELAY_PASSWORD": CANARY}, ""),
        (WRONG | {"MAILALERT_HTTP__TOKEN": CANARY}, ""),
        (WRONG | {"MAILALERT_RELAY": f"smtps://alerts:{CANARY}@mail.example.org"}, ""),
        (WRONG, f'relay_password = "{CANARY}"'),
        ({"MAILALERT_RELAY": f"smtps://alerts:{CANARY}@mail.example.org"}, ""),
        ({"MAILALERT_RELAY": f"smtps//alerts:{CANARY}@mail.example.org"}, ""),
        ({"MAILALERT_RELAY": f"smtps://alerts@mail.example.org:{CANARY}"}, ""),
        ({"MAILALERT_RELAY": f"smtps://alerts@[{CANARY}]"}, ""),
        ({"MAILALERT_RELAY": f"smtps://:{CANARY}@mail.example.org"}, ""),
        ({"MAILALERT_HTTP__TOKEN": f"{CANARY} é"}, ""),
        ({"MAILALERT_RELAY_PASSWORD": f"{CANARY}\n"}, ""),
        ({"MAILALERT_TOKEN": CANARY}, ""),
        ({"MAILALERT_HTTP": f'{{"token": "{CANARY}'}, ""),
        ({"MAILALERT_RELAY_PASSWORD_FILE": "two-lines"}, ""),
        ({"MAILALERT_RELAY_PASSWORD_FILE": "binary"}, ""),
        ({}, f'relay_password = "{CANARY}'),
        ({}, f"relay_password = {CANARY}"),
        ({}, f'relay_password = ["{CANARY}"]'),
        ({}, f'relay = ["smtps://u:{CANARY}@h"]'),
        ({}, f'[http]\ntoken = {{ a = "{CANARY}" }}'),
        ({}, f'http = "{CANARY}"'),
        ({}, f'relay_passwort = "{CANARY}"'),
    ],
)
def test_no_complaint_repeats_a_secret(environ: dict[str, str], toml: str) -> None:
    """Whatever is wrong with a secret or beside it, no message and no traceback shows it."""
    base = {k: v for k, v in COMPLETE.items() if "PASSWORD" not in k}
    base = base if "MAILALERT_RELAY" in environ or "relay" in toml else base | {"MAILALERT_RELAY": "smtp://h"}
    if toml.startswith("relay = "):
        del base["MAILALERT_RELAY"]
    with pytest.raises(ConfigurationError) as caught:
        load(base | environ, toml)
    told = f"{caught.value} {caught.value!r} {''.join(traceback.format_exception(caught.value))}"
    assert "canary" not in told
