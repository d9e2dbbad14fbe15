"""The command as a whole: whatever is wrong with a command line, scripts can tell that from other trouble."""

import pytest
from click.testing import CliRunner

from app.cli.ending import USAGE
from app.cli.main import main

WRONG = {
    "no such command": ["sned"],
    "no such option": ["--frobnicate"],
    "no such option of a command": ["check", "--frobnicate"],
    "a value that is none": ["mailbox", "list", "--limit", "many"],
    "an argument that is missing": ["mailbox", "show"],
    "no command of a group": ["queue"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_command_line_ends_with_64(arguments: list[str]) -> None:
    """EX_USAGE, as where a command itself finds it wrong; with how to write it, on stderr."""
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, done.stdout) == (USAGE, "")
    assert "Usage: " in done.stderr


def test_help_is_no_fault() -> None:
    """It is what was asked for."""
    assert CliRunner().invoke(main, ["queue", "--help"]).exit_code == 0
