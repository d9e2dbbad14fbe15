"""Options that several commands share."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from app.cli.client import DEFAULT_URL
from app.cli.ending import warn

SEVERITIES = ("info", "warning", "error", "critical")  # as in app/domain/alert.py, whose import takes 15 ms
STATUSES = ("firing", "resolved")
WAIT_S = 60.0  # a daemon that restarts is back in seconds, a machine in a minute
LONGEST_WAIT_S = 3600.0  # cron starts the job again by then
VIEWS = {"html": "Show its HTML.", "source": "Show it as it came.", "headers": "Show every field of its header."}


def wait_of_environment() -> float:
    """Return what MAILALERT_WAIT says, in seconds; a command must not fail to run because that is wrong."""
    text = os.environ.get("MAILALERT_WAIT", "")
    if not text:
        return WAIT_S
    try:
        wait_s = float(text)
    except ValueError:
        wait_s = -1.0
    if 0 <= wait_s <= LONGEST_WAIT_S:  # which not-a-number is not
        return wait_s
    warn(f"MAILALERT_WAIT must be a number of seconds, 0 to {LONGEST_WAIT_S:.0f}; {WAIT_S:.0f} is used")
    return WAIT_S


config_option = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The configuration file; else MAILALERT_CONFIG, ./config/mailalert.toml or /etc/mailalert/mailalert.toml.",
)

url_option = click.option(
    "--url", envvar="MAILALERT_URL", default=DEFAULT_URL, show_default=True, help="Where the daemon listens."
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON with all that is known.")

wait_option = click.option(
    "--wait",
    "wait_s",
    metavar="SECONDS",
    type=click.FloatRange(0, LONGEST_WAIT_S),
    default=wait_of_environment,
    show_default="MAILALERT_WAIT, or 60",
    help="For how long a daemon that cannot be reached is tried again before the alert stays in the spool.",
)

to_option = click.option(
    "--to", "to", metavar="ADDRESS", multiple=True, help="Who gets it, if the daemon allows that; may be given again."
)

receiver_option = click.option(
    "--receiver", "receivers", metavar="NAME", multiple=True, help="A receiver of the daemon; may be given again."
)

dir_option = click.option(
    "--dir",
    "directory",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    show_default="here",
    help="Where the files go; made if it is not there.",
)


def view_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what is shown of a mail; it gets `view`, a MailView of mail_view.py."""

    @wraps(command)
    def with_view(**options: Any) -> None:
        chosen = [view for view in VIEWS if options.pop(view)]
        if len(chosen) > 1:
            raise click.UsageError(f"{' and '.join(f'--{view}' for view in chosen)}: use one of them")
        command(view=chosen[0] if chosen else "text", **options)

    for view, text in VIEWS.items():
        with_view = click.option(f"--{view}", view, is_flag=True, help=text)(with_view)
    return with_view
