"""`mailalert check`: can mail leave with these settings, and if not, what to do."""

import os
import sys
from pathlib import Path

import click

from app.cli.ending import CONFIGURATION, fail
from app.cli.options import config_option


@click.command()
@config_option
@click.option("--send", "with_mail", is_flag=True, help="Send a test mail to every recipient.")
def check(*, config: Path | None, with_mail: bool) -> None:
    """Read the settings, connect to the relay, and say what works and what to do about what does not.

    Needs no running daemon and disturbs none. Exits with 0 if all is well, 78 when a setting is missing or
    wrong (a password or a certificate that is refused too), and 75 for other trouble with the relay.
    """
    import asyncio

    from app.cli.relay_check import RelayCheck
    from app.domain.errors import ConfigurationError
    from app.logs import configure_logs
    from app.mail.templates import load_templates
    from app.settings.load import load_settings

    try:
        settings = load_settings(config=config, sandbox=False, environ=os.environ)
        templates = load_templates(settings.templates_dir)
    except ConfigurationError as error:
        fail(error, CONFIGURATION)
    configure_logs(secrets=settings.secrets())
    sys.exit(asyncio.run(RelayCheck(settings, templates).run(with_mail=with_mail)))
