"""`mailalert check`: can mail leave with these settings, and be read, and if not, what to do."""

import os
import sys
from pathlib import Path

import click

from app.cli.ending import CONFIGURATION, fail
from app.cli.options import config_option


@click.command()
@config_option
@click.option("--send", "with_mail", is_flag=True, help="Send a test mail to every receiver, over each relay.")
@click.option("--alarm", "with_alarm", is_flag=True, help="Send a test alarm to url and command of [alarm].")
def check(*, config: Path | None, with_mail: bool, with_alarm: bool) -> None:
    """Read the settings, visit every relay and the mailbox, and say what works and what to do about what does not.

    Needs no running daemon and disturbs none; no mail is read or removed. Shows the whole dialogue with each relay,
    without passwords and tokens. Exits with 0 if all is well, 78 when a setting is missing or wrong (a password or a
    certificate that is refused too), and 75 for other trouble with a relay, the mailbox or an alarm.
    """
    import asyncio

    from app.cli.site_check import check_site
    from app.domain.errors import ConfigurationError
    from app.logs import configure_logs
    from app.settings.load import load_settings
    from app.wiring.taking import letterheads_of

    try:
        settings = load_settings(config=config, sandbox=False, environ=os.environ)
        letterheads = letterheads_of(settings)
    except ConfigurationError as error:
        fail(error, CONFIGURATION)
    configure_logs(secrets=settings.secrets())
    sys.exit(asyncio.run(check_site(settings, letterheads, with_mail=with_mail, with_alarm=with_alarm)))
