"""`[[receivers]]`: people who get their mails together, and the short form of the default one, `mail_to`."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, model_validator
from pydantic_settings import NoDecode

from app.domain.address import Mailbox
from app.domain.alert import Severity
from app.domain.errors import ConfigurationError
from app.domain.receiver import DEFAULT_RECEIVER, Receiver, each_once
from app.settings.sections import STRICT
from app.settings.tables import OWN_NAMES, tables_of
from app.settings.values import OneMailbox, ReceiverName, SomeMailboxes


class ReceiverTable(BaseModel):
    """One of `[[receivers]]`, as it is written."""

    model_config = STRICT

    name: ReceiverName
    to: SomeMailboxes = ()
    cc: SomeMailboxes = ()
    bcc: SomeMailboxes = ()
    reply_to: OneMailbox = None
    minimum_severity: Severity = Severity.INFO

    @model_validator(mode="after")
    def _has_recipients(self) -> Self:
        if not (self.to or self.cc or self.bcc):
            raise ValueError(f'"{self.name}" has no recipient; give it to, cc or bcc')
        return self

    def receiver(self) -> Receiver:
        """Return what it means: who stands in several lists is in the first of them."""
        to, cc, bcc = each_once(self.to, self.cc, self.bcc)
        return Receiver(
            name=self.name,
            to=to,
            cc=cc,
            bcc=bcc,
            reply_to=self.reply_to,
            minimum_severity=self.minimum_severity,
        )


ReceiverTables = Annotated[tuple[ReceiverTable, ...], NoDecode, tables_of("receivers"), OWN_NAMES]


def all_receivers(tables: Sequence[ReceiverTable], mail_to: tuple[Mailbox, ...]) -> tuple[Receiver, ...]:
    """Return the receivers, that of `mail_to` first if it is given.

    Raises ConfigurationError when a table is the default receiver besides.
    """
    receivers = tuple(table.receiver() for table in tables)
    if not mail_to:
        return receivers
    if any(receiver.name == DEFAULT_RECEIVER for receiver in receivers):
        raise ConfigurationError(
            f'mail_to and a receiver "{DEFAULT_RECEIVER}": both are given; '
            "mail_to is the short form of that table, so keep one of them"
        )
    return (Receiver(name=DEFAULT_RECEIVER, to=mail_to), *receivers)
