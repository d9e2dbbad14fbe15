"""A daemon that cannot start says why and what to do, and its exit status tells whether trying again helps."""

import socket
from pathlib import Path

import pytest

from tests.support.mailalert_command import mailalert

COMPLETE = {"RELAY": "smtp://localhost", "MAIL_FROM": "a@example.org", "MAIL_TO": "b@example.org"}
TEMPORARY = 75  # EX_TEMPFAIL of sysexits.h: trying again may help
CONFIGURATION = 78  # EX_CONFIG: it does not


def serve(home: Path, toml: str = "", **settings: str) -> tuple[int, str]:
    """Return the exit status of `mailalert serve` and what it said."""
    config = home / "config"
    config.mkdir()
    (config / "mailalert.toml").write_text(toml)
    done = mailalert("serve", home=home, environ={f"MAILALERT_{name}": value for name, value in settings.items()})
    said = done.stderr.decode()
    assert "Traceback" not in said
    return done.returncode, said


@pytest.mark.parametrize("missing", COMPLETE)
def test_each_missing_setting_is_named(tmp_path: Path, missing: str) -> None:
    """What is missing is named with both ways to set it; what is there is not."""
    status, said = serve(tmp_path, **{name: value for name, value in COMPLETE.items() if name != missing})
    assert status == CONFIGURATION
    assert f"{missing.lower()} in the configuration file, or MAILALERT_{missing} in the environment" in said
    assert not any(f"MAILALERT_{name} " in said for name in COMPLETE if name != missing)


@pytest.mark.parametrize(
    ("toml", "settings", "hint"),
    [
        ("", {"DATADIR": "x"}, "did you mean MAILALERT_DATA_DIR?"),
        ("", {"HTTP_PORT": "1"}, "did you mean MAILALERT_HTTP__PORT?"),
        ("mail_form = 'a@example.org'", {}, "did you mean mail_from?"),
        ("[http]\nprot = 1", {}, "did you mean http.port?"),
    ],
    ids=["variable", "underscore", "key", "key of a table"],
)
def test_an_unknown_setting_is_refused(tmp_path: Path, toml: str, settings: dict[str, str], hint: str) -> None:
    """A slip of the pen is not passed over: the nearest right name is told."""
    status, said = serve(tmp_path, toml, **(COMPLETE | settings))
    assert status == CONFIGURATION
    assert hint in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_open_host_needs_a_token(tmp_path: Path, host: str) -> None:
    """Nobody opens the daemon to the network by chance."""
    status, said = serve(tmp_path, HTTP__HOST=host, **COMPLETE)
    assert status == CONFIGURATION
    assert "MAILALERT_HTTP__TOKEN_FILE" in said


def test_a_signing_secret_that_others_can_read_ends_the_start(tmp_path: Path) -> None:
    """Whoever can read it can send alerts in the name of the token; the remedy is told."""
    (tmp_path / "secret").write_text("s3cret")
    (tmp_path / "secret").chmod(0o644)
    table = f"[[tokens]]\nname = 'a'\nsha256 = '{'1' * 64}'\nhmac_secret_file = '{tmp_path}/secret'\n"
    status, said = serve(tmp_path, table, **COMPLETE)
    assert status == CONFIGURATION
    assert "can be read or written by others (mode 0644); chmod 600 it" in said


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    """Something else has the port: it may be gone at the next try, and the message names the port."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, said = serve(tmp_path, HTTP__PORT=str(port), **COMPLETE)
    assert status == TEMPORARY
    assert f"port {port}" in said
    assert "MAILALERT_HTTP__PORT" in said
