"""Options that several commands share."""

from pathlib import Path

import click

config_option = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The configuration file; else MAILALERT_CONFIG, ./config/mailalert.toml or /etc/mailalert/mailalert.toml.",
)
