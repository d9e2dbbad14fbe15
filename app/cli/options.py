"""Options that several commands share."""

from pathlib import Path

import click

from app.cli.client import DEFAULT_URL

config_option = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The configuration file; else MAILALERT_CONFIG, ./config/mailalert.toml or /etc/mailalert/mailalert.toml.",
)

url_option = click.option(
    "--url", envvar="MAILALERT_URL", default=DEFAULT_URL, show_default=True, help="Where the daemon listens."
)
