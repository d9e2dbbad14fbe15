"""`mailalert send`: post an alert to the running daemon, or keep it in the spool until the daemon can take it."""

import os
from typing import Any

import click

from app.cli.attaching import read_attachments
from app.cli.client import HAND_IN_S, ClientError, Daemon, check_url, read_token
from app.cli.emptying import empty, empty_beside, spools_to_empty
from app.cli.ending import DENIED, PROTOCOL, REFUSED, USAGE, fail, warn
from app.cli.handing_in import Accepted, HandedIn, Handover, Kept, NotTaken, in_words
from app.cli.held_signals import signals_held
from app.cli.native import MAX_CONTENT, MAX_SUBJECT, spooled_alert
from app.cli.options import SEVERITIES, STATUSES, receiver_option, to_option, url_option, wait_option
from app.cli.patience import Patience
from app.cli.piped import piped_text
from app.cli.spool import usable_spool
from app.domain.text import cut_middle, shorten

ALL = 1 << 30  # alerts or seconds: no bound that anybody meets


@click.command()
@click.argument("subject", required=False)
@click.option("-m", "--message", help="The text; without it, it is read from stdin unless that is a terminal.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="How bad it is; else warning.")
@click.option("--label", "labels", metavar="NAME=VALUE", multiple=True, help="A label; may be given again.")
@click.option("--key", help="What makes this alert the same as an earlier one.")
@click.option("--status", type=click.Choice(STATUSES), help="Whether the trouble is there or gone.")
@click.option("--source", help="Who says so, such as cron@db1.")
@to_option
@receiver_option
@click.option("--attach", "attached", metavar="FILE", multiple=True, help="A file to attach; may be given again.")
@click.option("--spooled", is_flag=True, help="Send nothing new: post what lies in your own spool.")
@wait_option
@url_option
def send(*, subject: str | None, message: str | None, url: str, wait_s: float, spooled: bool, **fields: Any) -> None:
    """Post an alert to the running daemon, and print its id.

    Exits with 0 once it is accepted, which means durable, or kept in the spool until the daemon answers; 65 when the
    alert is refused; 77 when the token is missing or wrong, and 76 when another service answers (then the alert is in
    the spool); 75 when neither daemon nor spool can take it.
    The token comes from the file in MAILALERT_TOKEN_FILE or ~/.config/mailalert/token, the spool's directory from
    MAILALERT_SPOOL; else it is /var/spool/mailalert if that is there, or ~/.local/state/mailalert/spool.
    """
    try:
        check_url(url)
        daemon = Daemon(url, read_token(), timeout_s=HAND_IN_S)
    except ClientError as error:
        fail(error, error.code)
    if spooled:
        return send_spooled(daemon)
    if not subject:
        fail("say what it is about: mailalert send SUBJECT", USAGE)
    receivers = tuple(fields.pop("receivers"))
    alert = spooled_alert(_document(subject, message, **fields), daemon=daemon, receivers=receivers)
    with signals_held():
        patience = Patience(wait_s)
        with Handover(alert, daemon=daemon, spool=usable_spool(os.environ, url)) as handover:
            outcome = handover.hand_in(patience)
        if isinstance(outcome, Accepted):
            empty_beside(daemon, os.environ)
    return _report(outcome)


def send_spooled(daemon: Daemon) -> None:
    """Post all that lies in this user's own spool, and print how much that was. Exits with the code of `send`."""
    posted = 0
    for spool in spools_to_empty(os.environ, daemon.url):
        emptied = empty(daemon, spool, most=ALL, within_s=ALL)
        posted += emptied.posted
        if emptied.error:
            print(posted, "were sent")
            fail(emptied.error, emptied.error.code)
    print(posted, "were sent")


def _document(
    subject: str,
    message: str | None,
    *,
    labels: tuple[str, ...],
    to: tuple[str, ...],
    attached: tuple[str, ...],
    **optional: str | None,
) -> dict[str, Any]:
    files = read_attachments(attached)
    content = message if message is not None else piped_text(MAX_CONTENT)
    for trouble in files.troubles:
        warn(trouble)
        content = cut_middle(f"{content}\n\n[{trouble}]".lstrip(), MAX_CONTENT)
    document: dict[str, Any] = {"subject": shorten(subject, MAX_SUBJECT), "content": content}
    document |= {"labels": dict(map(_label, labels)), **optional, "to": list(to), "attachments": list(files.documents)}
    return {name: value for name, value in document.items() if value}


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        fail(f"--label {text}: write it as NAME=VALUE", USAGE)
    return name, value


def _report(outcome: HandedIn) -> None:
    match outcome:
        case Accepted(answer):
            for warning in answer.get("warnings", ()):
                warn(warning)
            print(answer.get("id", "taken from the spool"))
        case Kept(_, error):
            warn(in_words(outcome))
            if error.code in {DENIED, PROTOCOL, REFUSED}:  # somebody has to mend something first
                raise SystemExit(error.code)
        case NotTaken(error):
            fail(in_words(outcome), error.code)
