"""`mailalert mailbox`: a small mail client for the mailbox that the daemon reads, or for any other one."""

import sys
from datetime import datetime
from pathlib import Path

import click

from app.cli.duration import DurationType
from app.cli.ending import USAGE, fail, warn
from app.cli.mailbox_where import Where, where_options
from app.cli.options import dir_option, json_option, view_option

names_argument = click.argument("names", metavar="N...", nargs=-1, required=True)
name_argument = click.argument("name", metavar="N")
limit_option = click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most.")


@click.group()
def mailbox() -> None:
    """Read a mailbox by POP3 or IMAP: the one of the settings, or one that --mailbox names.

    N is what `list` shows. By IMAP that is the uid, which stays the mail's own. By POP3, whose uids are long, it is
    the mail's place, 1 for the oldest; a place goes to another mail when an older one is deleted, so programs take
    the uid, which `list` prints in a pipe and in JSON, and which every command understands.

    Nothing is deleted but by `delete`, and by IMAP nothing is marked as read. Exit codes: 64 when the command line is
    wrong, 65 when there is no such mail, 78 when a setting, password or certificate is wrong, 75 for other trouble
    with the server, 74 when a file cannot be saved, 1 when you decline.
    """


@mailbox.command("list")
@limit_option
@json_option
@where_options
def list_mails(*, where: Where, limit: int, as_json: bool) -> None:
    """List the newest mails, the newest first.

    In a pipe: uid, date, sender, subject and size in bytes, with tabs between them.
    """
    from app.cli.mailbox_access import access_to, in_mailbox
    from app.cli.mailbox_lines import show_heads
    from app.cli.mailbox_mails import MailHead, heads_of, mails_of
    from app.domain.mailbox_session import MailboxSession

    async def newest(session: MailboxSession) -> tuple[list[MailHead], int]:
        mails = await mails_of(session)
        return await heads_of(session, mails[: -limit - 1 : -1]), len(mails)

    heads, count = in_mailbox(access_to(where), newest)
    show_heads(heads, as_json=as_json)
    if count > limit:
        warn(f"there are {count} mails; see --limit")


@mailbox.command()
@name_argument
@view_option
@json_option
@where_options
def show(*, where: Where, name: str, view: str, as_json: bool) -> None:
    """Show a mail: who wrote it, when and about what, its text, and which files came with it.

    Whatever a mail holds, it cannot give orders to the terminal. --source in a pipe gives the octets as they are; in
    JSON they are base64.
    """
    from app.cli.mail_view import MailView, show_mail

    data, known = _fetched(where, name)
    show_mail(data, MailView(view), as_json=as_json, known=known)


@mailbox.command()
@name_argument
@dir_option
@json_option
@where_options
def save(*, where: Where, name: str, directory: Path, as_json: bool) -> None:
    """Save every file that came with a mail, and print where each is.

    The sender's names are used as far as they are safe: no path, nothing that is there is overwritten (a number is
    put behind the name), and nobody else may read them. In a pipe: path, type and size with tabs between them.
    """
    from app.cli.mail_saving import save_files
    from app.mail.reading.reader import read_message

    data, _ = _fetched(where, name)
    save_files(read_message(data), directory, as_json=as_json)


@mailbox.command()
@click.argument("words", metavar="[TEXT]", default="")
@click.option("--from", "sender", metavar="WORDS", default="", help="Words in the sender's address or name.")
@click.option("--subject", metavar="WORDS", default="", help="Words in the subject.")
@click.option("--since", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help="Not before this day, as 2026-11-22.")
@click.option("--text", "in_text", is_flag=True, help="Look for TEXT in the mails' text too; each of them is read.")
@limit_option
@json_option
@where_options
def search(*, where: Where, since: datetime | None, limit: int, as_json: bool, **wanted: str | bool) -> None:
    """List the mails with TEXT in their subject, or in a name or an address; the newest first.

    All that is asked for must fit, in capital letters or small ones. What is printed is what `list` prints.
    """
    from app.cli.mailbox_access import access_to, in_mailbox
    from app.cli.mailbox_lines import show_heads
    from app.cli.mailbox_search import search as search_in
    from app.cli.mailbox_search import wanted_of

    looked_for = wanted_of(since=since, **wanted)
    found = in_mailbox(access_to(where), lambda session: search_in(session, looked_for, limit=limit))
    show_heads(found[:limit], as_json=as_json)
    if len(found) > limit:
        warn(f"there are more than {limit}; see --limit")


@mailbox.command()
@names_argument
@click.option("--yes", is_flag=True, help="Do not ask. Mails are named by their uid alone then.")
@json_option
@where_options
def delete(*, where: Where, names: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete mails for good, all that are named or none. They are shown first, and you are asked.

    By POP3 they go when the session has ended in good order, and not before.
    """
    from app.cli.mailbox_access import access_to
    from app.cli.mailbox_deleting import delete_mails

    if not yes and not sys.stdin.isatty():
        fail("there is no terminal to ask on; use --yes, and name the mails by their uid", USAGE)
    delete_mails(access_to(where), names, asks=not yes, as_json=as_json)


@mailbox.command()
@click.option(
    "--every",
    "every_s",
    metavar="TIME",
    type=DurationType(),
    default="60s",
    show_default=True,
    help="How often to look where the server does not tell of new mail by itself; by POP3 none does.",
)
@json_option
@where_options
def watch(*, where: Where, every_s: float, as_json: bool) -> None:
    """Print a line for each new mail as it comes, until Ctrl-C or SIGTERM; it ends with 0 then.

    In a pipe it is what `list` prints; with --json it is an object, one on each line. A server that is away later on
    is waited for.
    """
    from app.cli.mailbox_access import access_to, run
    from app.cli.mailbox_lines import teller
    from app.cli.mailbox_watch import Watch, until_signal

    watching = Watch(access_to(where), every_s=every_s, tell=teller(as_json=as_json))
    run(until_signal(watching))


def _fetched(where: Where, name: str) -> tuple[bytes, dict[str, object]]:
    """Return a mail as it came, and what JSON says of its place in the mailbox."""
    from app.cli.mailbox_access import access_to, in_mailbox
    from app.cli.mailbox_mails import mails_of, named, source_of
    from app.domain.mailbox_session import MailboxSession

    async def fetch(session: MailboxSession) -> tuple[bytes, dict[str, object]]:
        (mail,) = named(await mails_of(session), [name])
        known = {"uid": mail.entry.uid, "number": mail.place, "size_bytes": mail.entry.size_bytes}
        return await source_of(session, mail), known

    return in_mailbox(access_to(where), fetch)
