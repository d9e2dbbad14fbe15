"""`mailalert send`: post an alert to the running daemon."""

from typing import Any

import click

from app.cli.client import ClientError, Daemon, read_token
from app.cli.ending import USAGE, fail, warn
from app.cli.options import url_option
from app.cli.piped import piped_text
from app.domain.alert import Severity, Status
from app.domain.text import shorten

MAX_SUBJECT = 500  # characters; what the daemon's native format takes
MAX_CONTENT = 256 << 10  # bytes; the same


@click.command()
@click.argument("subject")
@click.option("-m", "--message", help="The text; without it, it is read from stdin unless that is a terminal.")
@click.option("--severity", type=click.Choice([s.value for s in Severity]), help="How bad it is; else warning.")
@click.option("--label", "labels", metavar="NAME=VALUE", multiple=True, help="A label; may be given again.")
@click.option("--key", help="What makes this alert the same as an earlier one.")
@click.option("--status", type=click.Choice([s.value for s in Status]), help="Whether the trouble is there or gone.")
@click.option("--source", help="Who says so, such as cron@db1.")
@url_option
def send(*, subject: str, message: str | None, labels: tuple[str, ...], url: str, **optional: str | None) -> None:
    """Post an alert to the running daemon, and print its id.

    Exits with 0 once it is accepted, which means durable; 75 when a later try may succeed; 65 when the
    alert is refused; 77 when the token is missing or wrong. The token comes from the file in
    MAILALERT_TOKEN_FILE or ~/.config/mailalert/token.
    """
    content = message if message is not None else piped_text(MAX_CONTENT)
    alert: dict[str, Any] = {"subject": shorten(subject, MAX_SUBJECT), "content": content}
    alert |= {"labels": dict(map(_label, labels)), **optional}
    try:
        answer = Daemon(url, read_token()).post("/alerts", {k: v for k, v in alert.items() if v}, wants="id")
    except ClientError as error:
        fail(error, error.code)
    for warning in answer.get("warnings", ()):
        warn(warning)
    print(answer["id"])


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        fail(f"--label {text}: write it as NAME=VALUE", USAGE)
    return name, value
