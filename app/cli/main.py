"""The command `mailalert`: one module for each subcommand, which imports late what only it needs."""

import click

from app.cli.check import check
from app.cli.queue import queue
from app.cli.send import send
from app.cli.serve import serve
from app.version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mailalert", message="%(prog)s %(version)s")
def main() -> None:
    """Take alerts in, mail them to the right people, and be able to prove it."""


main.add_command(serve)
main.add_command(send)
main.add_command(check)
main.add_command(queue)
