"""Deleting mails: looked up in one session, gone in another one; nobody is kept out while a person thinks."""

import shutil
import sys
from collections.abc import Sequence

import click

from app.cli.listing import show_list
from app.cli.mailbox_access import Access, in_mailbox
from app.cli.mailbox_lines import for_people
from app.cli.mailbox_mails import Mail, MailHead, MailUnavailable, heads_of, mails_of, named
from app.domain.mailbox_session import MailboxSession


def delete_mails(access: Access, names: Sequence[str], *, asks: bool, as_json: bool) -> None:
    """Delete the mails, if the terminal says yes where it `asks`, and print which they were.

    A place may have gone to another mail since somebody saw it, so without asking only a uid names one.
    """

    async def look_up(session: MailboxSession) -> tuple[list[Mail], list[MailHead], str]:
        mails = named(await mails_of(session), names, by_uid=not asks)
        return mails, await heads_of(session, mails) if asks else [], session.epoch

    mails, heads, epoch = in_mailbox(access, look_up)
    if asks:
        _ask(heads)
    uids = [mail.entry.uid for mail in mails]

    async def delete(session: MailboxSession) -> None:
        if session.epoch != epoch:
            raise MailUnavailable("the server has numbered its mails anew meanwhile; nothing was deleted")
        await session.delete(uids)

    in_mailbox(access, delete)
    show_list(
        uids,
        as_json=as_json,
        people=lambda _: [f"{mail.name} is deleted" for mail in mails],
        programs=lambda: uids,
    )


def _ask(heads: Sequence[MailHead]) -> None:
    for line in for_people(heads, width=shutil.get_terminal_size().columns):
        print(line, file=sys.stderr)  # what goes to stdout are the mails that were deleted
    click.confirm("Delete this mail?" if len(heads) == 1 else f"Delete these {len(heads)} mails?", abort=True, err=True)
