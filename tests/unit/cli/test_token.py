"""`mailalert token new`: a token nobody guesses, and the settings that know it by its digest."""

import tomllib
from hashlib import sha256

import pytest
from click.testing import CliRunner

from app.cli import token
from app.cli.token import new_token
from app.settings import tokens


def made(*options: str) -> list[str]:
    """Return the lines that the command prints."""
    done = CliRunner().invoke(new_token, options)
    assert done.exit_code == 0
    return done.output.splitlines()


def test_the_table_knows_the_token() -> None:
    """It can be pasted as it is, and does not hold the token."""
    token, *rest = made("--name", "cron-db1", "--scope", "send", "--scope", "read", "--scope", "send")
    (table,) = tomllib.loads("\n".join(rest))["tokens"]
    digest = sha256(token.encode()).hexdigest()
    assert table == {"name": "cron-db1", "sha256": digest, "scopes": ["send", "read"]}
    assert token not in "\n".join(rest)


def test_quiet_prints_the_token_alone() -> None:
    """For `mailalert token new --quiet > file`."""
    (token,) = made("--quiet")
    assert token.startswith("ma_")
    assert len(token) == 46


def test_no_two_are_the_same() -> None:
    """256 random bits."""
    assert made("--quiet") != made("--quiet")


def test_names_are_those_of_the_settings() -> None:
    """What the command prints is not refused at the next start; it does not load the settings, so it has a copy."""
    assert token.NAME_PATTERN == tokens.NAME_PATTERN


@pytest.mark.parametrize("name", ["", 'a"b', "a b", "ä", "-a", ".", "_", "a\n", "a" * 65])
def test_a_name_that_settings_cannot_hold_is_refused(name: str) -> None:
    """Exit 64, and no token is made."""
    done = CliRunner().invoke(new_token, ["--name", name])
    assert done.exit_code == 64
    assert "ma_" not in done.stdout
