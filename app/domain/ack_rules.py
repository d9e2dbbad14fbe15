"""Who may acknowledge an alert by mail, and until when it holds."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from app.domain.access import AllowedRecipients
from app.domain.address import Mailbox

OLDEST = timedelta(days=7)  # a mail that took longer on its way tells nothing by its Date


def may_acknowledge(sender: Mailbox, recipients: Iterable[Mailbox], ack_from: AllowedRecipients | None) -> bool:
    """Tell whether this person may: a recipient of the mail, or somebody whom `ack_from` includes.

    Without `ack_from` that is everybody of the recipients' domains: mail to a group is answered by a person.
    """
    people = tuple(recipients)
    if AllowedRecipients.of(person.address for person in people).include(sender):
        return True
    allowed = ack_from if ack_from is not None else AllowedRecipients.of(f"@{person.domain}" for person in people)
    return allowed.include(sender)


def counts_from(sent_at: datetime | None, now: datetime) -> datetime:
    """Return from when "2h" counts: when the mail was written, as far as that can be believed."""
    return sent_at if sent_at is not None and now - OLDEST <= sent_at <= now else now
