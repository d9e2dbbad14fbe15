"""Which mailbox a command reads: the one of the settings, or one that the command line names."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from app.cli.ending import USAGE, fail
from app.cli.options import config_option

PATH = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What the command line says of the mailbox; with no `url` it is that of the settings."""

    config: Path | None
    url: str | None
    password_file: Path | None
    ca_file: Path | None
    folder: str | None


def where_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name a mailbox; it gets them as one argument, `where`."""

    @config_option
    @click.option(
        "--mailbox", "url", metavar="URL", help="Another mailbox than that of the settings, such as imaps://user@host."
    )
    @click.option(
        "--password-file", metavar="FILE", type=PATH, help="The password for --mailbox; else the terminal is asked."
    )
    @click.option("--ca-file", metavar="FILE", type=PATH, help="The authorities that --mailbox trusts, as PEM.")
    @click.option("--folder", metavar="NAME", help="Another folder than INBOX, or than that of the settings; by IMAP.")
    @wraps(command)
    def with_where(
        *,
        config: Path | None,
        url: str | None,
        password_file: Path | None,
        ca_file: Path | None,
        folder: str | None,
        **others: Any,
    ) -> None:
        if url is None and (password_file or ca_file):
            fail("--password-file and --ca-file go with --mailbox; the mailbox of the settings has its own", USAGE)
        where = Where(config=config, url=url, password_file=password_file, ca_file=ca_file, folder=folder)
        command(where=where, **others)

    return with_where
