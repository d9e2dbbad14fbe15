"""`mailalert queue`: look at the mails of the running daemon, send failed ones again, or drop them."""

import sys
from typing import Any

import click

from app.cli import aside_lines, queue_lines
from app.cli.client import ClientError, Daemon, client_errors, quoted, read_token
from app.cli.ending import USAGE, fail, warn
from app.cli.listing import show_list
from app.cli.options import url_option
from app.cli.printable import printable_line
from app.cli.progress import ProgressBar
from app.domain.ids import parse_id

PAGE = 500  # the most that the daemon gives at once
FAILED = "failed"
STATES = ("queued", "sent", "partly-sent", FAILED, "dropped", "kept")
ids_argument = click.argument("ids", metavar="ID...", nargs=-1)


@click.group()
def queue() -> None:
    """Look at the mails of the running daemon; send failed ones again, or drop them.

    Exit codes are those of `send`; 65 means that there is no such dead letter, or no such address.
    """


@queue.command("list")
@click.option("--state", type=click.Choice(STATES), default="queued", show_default=True, help="Which mails.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array with all that the daemon tells.")
@url_option
def list_mails(*, state: str, limit: int, as_json: bool, url: str) -> None:
    """List alerts by what became of their mails.

    `--state failed` lists whatever failed for some recipient, also what others got, with the reason for each: the
    dead letters. In a pipe the fields are separated by tabs.
    """
    with client_errors():
        found, more = _newest(Daemon(url, read_token()), state, limit)
    show_list(
        found,
        as_json=as_json,
        people=lambda width: queue_lines.for_people(found, width=width),
        programs=lambda: queue_lines.for_programs(found),
    )
    if more:
        warn(f"there are more than {limit}; see --limit")


@queue.command()
@ids_argument
@click.option("--all", "everything", is_flag=True, help="All dead letters, the oldest first.")
@url_option
def retry(*, ids: tuple[str, ...], everything: bool, url: str) -> None:
    """Send dead letters again, each to the recipients for whom it failed."""
    if bool(ids) == everything:
        fail("name the dead letters to send again, or use --all (mailalert queue list --state failed)", USAGE)
    with client_errors():
        daemon = Daemon(url, read_token())
        for each in ids:
            answer = daemon.post(f"/dead-letters/{quoted(each)}/retry", wants="id")
            print(answer["id"], "is queued again")
        if everything:
            retry_all(daemon)


@queue.command()
@ids_argument
@url_option
def drop(*, ids: tuple[str, ...], url: str) -> None:
    """Give up dead letters. That they were dropped stays on the record."""
    if not ids:
        fail("name the dead letters to drop (mailalert queue list --state failed)", USAGE)
    with client_errors():
        daemon = Daemon(url, read_token())
        for each in ids:
            answer = daemon.delete(f"/dead-letters/{quoted(each)}", wants="id")
            print(answer["id"], "is dropped")


@queue.command("aside")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array with all that the daemon tells.")
@url_option
def list_aside(*, as_json: bool, url: str) -> None:
    """List the recipients that were set aside because their mails bounced.

    They get no mail until `mailalert queue release`. In a pipe the fields are separated by tabs: the address, since
    when, how many bounces, and the last server's reply.
    """
    with client_errors():
        found = Daemon(url, read_token()).get("/set-aside", wants="set_aside")["set_aside"]
    show_list(
        found,
        as_json=as_json,
        people=lambda width: aside_lines.for_people(found, width=width),
        programs=lambda: aside_lines.for_programs(found),
    )


@queue.command()
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@url_option
def release(*, addresses: tuple[str, ...], url: str) -> None:
    """Let recipients that were set aside have mail again, from the next alert on."""
    with client_errors():
        daemon = Daemon(url, read_token())
        for each in addresses:
            daemon.delete(f"/set-aside/{quoted(each)}", wants="")
            print(printable_line(f"{each} gets mail again"))


def _newest(daemon: Daemon, state: str, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """Return what is in the state, and whether there is more."""
    if state == FAILED:
        path, key = "/dead-letters?", "dead_letters"
    else:
        path, key = f"/alerts?state={quoted(state.replace('-', ' '))}&", "alerts"
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = daemon.get(f"{path}limit={min(PAGE, limit - len(found))}{cursor}", wants=key)
        found += page[key]
        if page["next"] is None or len(found) >= limit:
            return found, page["next"] is not None
        cursor = f"&cursor={page['next']}"


def retry_all(daemon: Daemon) -> None:
    """Send all again, the oldest first, and print how many; ids tell how far it is, for they grow with time.

    Raises ClientError, which tells how many were done before.
    """
    newest = [letter["id"] for letter in daemon.get("/dead-letters?limit=1", wants="dead_letters")["dead_letters"]]
    last = (parse_id(newest[0]) if newest else None) or 0
    retried, cursor, first = 0, "", 0
    with ProgressBar(sys.stderr) as bar:
        while True:
            try:
                step = daemon.post(f"/dead-letters/retry?limit={PAGE}{cursor}", wants="retried")
            except ClientError as error:
                raise ClientError(f"{error} ({retried} are queued again)", error.code) from None
            retried += step["retried"]
            if step["next"] is None:
                break
            position = parse_id(step["next"]) or 0
            first = first or position
            bar.show((position - first) / max(1, last - first), f"{retried} are queued again")
            cursor = f"&cursor={step['next']}"
    print(retried, "are queued again")
