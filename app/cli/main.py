"""The command `mailalert`: one module for each subcommand, loaded when it is the one that was asked for.

A cron job should not wait for the imports of commands that it does not use.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from app.cli.ending import USAGE
from app.version import __version__

# The module in app.cli and the name in it, for each subcommand; the order is that of the help.
COMMANDS = {
    "serve": ("serve", "serve"),
    "send": ("send", "send"),
    "run": ("run", "run"),
    "check": ("check", "check"),
    "queue": ("queue", "queue"),
    "ack": ("ack", "ack"),
    "mailbox": ("mailbox", "mailbox"),
    "mail": ("mail", "mail"),
    "token": ("token", "token"),
}


class LazyGroup(click.Group):
    """A group whose subcommands are imported by name. A wrong command line ends all of them with 64 (sysexits.h)."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all subcommands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Return the subcommand, None if there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command = getattr(import_module(f"app.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the options before the subcommand."""
        with _usage_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Read the subcommand's options, and run it."""
        with _usage_errors():
            return super().invoke(ctx)


@contextmanager
def _usage_errors() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        error.show()
        sys.exit(USAGE)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mailalert", message="%(prog)s %(version)s")
def main() -> None:
    """Take alerts in, mail them to the right people, and be able to prove it."""
