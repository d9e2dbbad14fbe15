"""The marks by which a mail shows that it is ours, answers one of ours, or came to an address that we made."""

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import TypeVar

from app.domain.ids import parse_id
from app.mail.message_id import OWN_ID, PROBE_ID, MessageIds
from app.mail.reading.headers import Headers
from app.mail.reading.message import Message

MAX_REFERENCES = 50  # that are looked at, the last ones: each costs two MACs
MAX_ADDRESSES = 50  # likewise; a mail has come to one of ours by the first few
# What servers write of the address by which a mail came, before what its sender wrote. None is of a standard but
# Delivered-To (RFC 9228).
ADDRESSED_BY = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
_PROBE_NAME = re.compile(r"(?:<?probe\.)?([^@<>]+)(?:@[^@]+>)?", re.IGNORECASE)
# An id as mails bore it at first, or with a MAC behind it.
_ANY_ID = re.compile(r"(\w{13})(?:\.[0-9A-Fa-f]{20})?", re.ASCII)
_Found = TypeVar("_Found")


class Marks:
    """Finds marks that only this daemon can have made: each is proved by its MAC."""

    def __init__(self, message_ids: MessageIds) -> None:
        self._ids = message_ids

    def probe(self, headers: Headers) -> int | None:
        """Return the number of the probe that this is. Some relays put another Message-ID in the place of ours."""
        return self.probe_named(headers.raw(PROBE_ID), *headers.identifiers("Message-ID"))

    def probe_named(self, *names: str) -> int | None:
        """Return the number of the first probe that one of the names, a token or a Message-ID, proves."""
        found = map(_PROBE_NAME.fullmatch, names)
        return first_proof(self._ids.verify_probe(match[1]) for match in found if match)

    def own(self, headers: Headers) -> int | None:
        """Return the id of the envelope that this is the mail of."""
        return self.envelope_named(headers.raw(OWN_ID), *headers.identifiers("Message-ID"))

    def envelope_named(self, *names: str) -> int | None:
        """Return the id of the first envelope that one of the names, a token or a Message-ID, proves."""
        return first_proof(
            verified for name in names for verified in (self._ids.verify_token(name), self._ids.verify(name))
        )

    def answered(self, message: Message) -> int | None:
        """Return the id of the envelope whose mail this one answers, by its headers or the address it came to."""
        envelope_id = first_proof(map(self._ids.verify, answered_ids(message)))
        if envelope_id is not None:
            return envelope_id
        came_to = self.came_to(message.headers)
        return came_to[0] if came_to else None

    def probe_answered(self, message: Message) -> int | None:
        """Return the number of the probe that it answers."""
        return self.probe_named(*answered_ids(message))

    def came_to(self, headers: Headers) -> tuple[int, int | None] | None:
        """Return the envelope and the position of a recipient, if there is one, in the address that the mail came to.

        An address with a position is the sender of an envelope: only programs write to it.
        """
        mailboxes = (mailbox for name in ADDRESSED_BY for mailbox in headers.mailboxes(name))
        addresses = (mailbox.address for mailbox in islice(mailboxes, MAX_ADDRESSES))
        return first_proof(map(self._ids.verify_sub_address, addresses))


def answered_ids(message: Message) -> Iterator[str]:
    """Return the Message-IDs that the mail answers, the nearest first: RFC 5322 section 3.6.4."""
    return chain(message.in_reply_to[:MAX_REFERENCES], reversed(message.references[-MAX_REFERENCES:]))


def bears_an_id(headers: Headers) -> bool:
    """Tell whether a Mail Alert System sent the mail, be it another one, whose MAC cannot be checked here."""
    found = [_ANY_ID.fullmatch(headers.raw(name)) for name in (OWN_ID, PROBE_ID)]
    return any(match is not None and parse_id(match[1]) is not None for match in found)


def first_proof(found: Iterator[_Found | None]) -> _Found | None:
    """Return the first proof of several, None if there is none."""
    return next((one for one in found if one is not None), None)
