"""Options that several commands share."""

from pathlib import Path

import click

from app.cli.client import DEFAULT_URL

SEVERITIES = ("info", "warning", "error", "critical")  # as in app/domain/alert.py, whose import takes 15 ms
STATUSES = ("firing", "resolved")

config_option = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The configuration file; else MAILALERT_CONFIG, ./config/mailalert.toml or /etc/mailalert/mailalert.toml.",
)

url_option = click.option(
    "--url", envvar="MAILALERT_URL", default=DEFAULT_URL, show_default=True, help="Where the daemon listens."
)

wait_option = click.option(
    "--wait",
    "wait_s",
    metavar="SECONDS",
    type=click.FloatRange(0, 3600),
    envvar="MAILALERT_WAIT",
    default=60.0,
    show_default=True,
    help="For how long a daemon that cannot be reached is tried again before the alert stays in the spool.",
)

to_option = click.option(
    "--to", "to", metavar="ADDRESS", multiple=True, help="Who gets it, if the daemon allows that; may be given again."
)

receiver_option = click.option(
    "--receiver", "receivers", metavar="NAME", multiple=True, help="A receiver of the daemon; may be given again."
)
