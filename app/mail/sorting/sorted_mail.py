"""What a mail of the mailbox is, and what follows from it."""

from dataclasses import dataclass
from datetime import timedelta

from app.domain.acknowledgement import AckAction
from app.domain.bounce import BounceReport
from app.domain.mail_kind import MailKind


@dataclass(frozen=True, slots=True)
class AckCommand:
    """What the first own line of an answer says; `lasts` is for how long an acknowledgement holds, None for no end."""

    action: AckAction
    lasts: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedMail:
    """The kind of the mail, and `why` it is taken for that, in a phrase for the log.

    `envelope_id` is the mail of ours that it answers, reports on or is, proved by a MAC; None if there is no proof.
    `report` comes with a BOUNCE, `command` with an ACKNOWLEDGEMENT, `probe` (its number) with a PROBE. A BOUNCE of a
    probe has its number instead of a report, and the server's `words`, "" where it is only late.
    """

    kind: MailKind
    why: str
    envelope_id: int | None = None
    report: BounceReport | None = None
    command: AckCommand | None = None
    probe: int | None = None
    words: str = ""
