"""What became of one recipient in one attempt, and whose fault it was.

A `reason` is one of few phrases; whatever is particular to one mail, or was said by a relay, stands behind a colon
in it, or in `reply`. So the phrase tells which troubles are of one kind.
"""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Who has to change before another attempt can succeed."""

    RELAY = "relay"  # the relay or the way to it: no attempt is charged to the mail
    CONFIGURATION = "configuration"  # our settings or its certificate: wait long, raise an alarm
    MESSAGE = "message"
    RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of an SMTP server: the code, the enhanced code of RFC 3463 if it has one, the text in one line."""

    code: int
    text: str = ""
    enhanced: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)


@dataclass(frozen=True, slots=True)
class Sent:
    """The relay took responsibility for the mail to this recipient (RFC 5321 section 4.2.5)."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now. `ambiguous`: lost after the final dot, so the mail may have been taken all the same.

    `too_many_recipients`: the relay takes no more of them in one transaction (RFC 5321 section 4.5.3.1.10),
    so the recipient is tried in the next one, at once.
    """

    scope: Scope
    reason: str
    reply: Reply | None = None
    ambiguous: bool = False
    too_many_recipients: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Never: the same mail to the same recipient would be refused again.

    `too_large`: the size was the reason, so without its attachments the mail may be taken.
    """

    scope: Scope
    reason: str
    reply: Reply | None = None
    too_large: bool = False


Outcome = Sent | Deferred | Refused


def in_words(outcome: Deferred | Refused) -> str:
    """Return the reason, the relay's reply behind it: "mailbox does not exist (550 5.1.1 no such user)"."""
    return f"{outcome.reason} ({outcome.reply})" if outcome.reply else outcome.reason


def kind_of(reason: str) -> str:
    """Return the phrase that the reason begins with: the same for all mails that have this trouble."""
    return reason.partition(":")[0]
