"""`mailalert serve`: run the daemon."""

import os
import sys
from pathlib import Path

import click

from app.cli.ending import CONFIGURATION, DISK, TEMPORARY, fail
from app.cli.options import config_option


@click.command()
@click.option("--sandbox", is_flag=True, help="Keep every mail on this machine and show it at /sandbox.")
@config_option
def serve(*, sandbox: bool, config: Path | None) -> None:
    """Run the daemon until SIGTERM or SIGINT.

    Exits with 0 after a drain, 78 when a setting is missing or wrong, 75 when something else holds the data
    directory or the port, or the disk is full, and 74 when the disk fails or damages the journal.
    """
    from app import main
    from app.domain.errors import (
        ConfigurationError,
        JournalCorrupt,
        JournalFailed,
        JournalLocked,
        JournalUnavailable,
        ListenFailed,
    )
    from app.logs import configure_logs
    from app.settings.load import load_settings

    try:
        settings = load_settings(config=config, sandbox=sandbox, environ=os.environ)
        configure_logs(secrets=settings.secrets())
        code = main.serve(settings)
    except ConfigurationError as error:
        fail(error, CONFIGURATION)
    except (JournalFailed, JournalCorrupt) as error:
        fail(error, DISK)
    except (JournalLocked, JournalUnavailable, ListenFailed) as error:
        fail(error, TEMPORARY)
    sys.exit(code)
