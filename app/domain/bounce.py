"""Bounces: what a server behind the relay says of a mail that the relay took, and what that changes."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.domain.enhanced_codes import meaning
from app.domain.envelope import HANDED_OVER, Delivery, DeliveryState, Letterhead, QueuedMail


class BounceKind(StrEnum):
    """What a report says of one recipient (the Action of RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class BouncedRecipient:
    """One recipient of a report, as it tells; "" for what it does not.

    `address` is the final one, `original` the one that we wrote (ORCPT). `status` is the enhanced code of RFC 3463.
    `reply` are the words of the server `remote`, or of the one that reports, in one line.
    """

    kind: BounceKind
    address: str = ""
    original: str = ""
    status: str = ""
    reply: str = ""
    remote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceReport:
    """A report on one mail of ours: `envelope_id` is proved by a MAC.

    `position` is the recipient that it is about, where that is known by the address it came to (VERP); else None.
    """

    envelope_id: int
    recipients: tuple[BouncedRecipient, ...]
    position: int | None = None


@dataclass(frozen=True, slots=True)
class BounceEffect:
    """What a report changed: the mail as it stands now, and the deliveries that are other than before.

    `counted_out` are the addresses that had one hard bounce too many, and get no more mail until a person releases
    them.
    """

    mail: QueuedMail
    touched: tuple[Delivery, ...] = ()
    counted_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetAsideAddress:
    """A recipient whose mails bounced too often: none is sent there. `reply` is what was said last."""

    address: str
    bounces: int
    since: datetime
    reply: str


# RFC 3463 section 3: the address or the domain is of no use, whatever is sent there. A full mailbox, a refused content
# and a policy (X.2.2, X.2.3, X.3, X.6, X.7) may be others tomorrow.
_USELESS = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4", "5.7.17", "5.7.18"})
_NO_CODE = frozenset({"", "5.0.0"})  # a failure without a reason counts as one of the address


@dataclass(frozen=True, slots=True)
class BounceVerdict:
    """The deliveries that a report changes, each as it is from now on.

    `hard` are the positions of those whose address is of no use.
    """

    touched: tuple[Delivery, ...] = ()
    hard: frozenset[int] = frozenset()


def judge_bounce(mail: QueuedMail, report: BounceReport) -> BounceVerdict:
    """Return what the report changes.

    A recipient is found by the address that we wrote, else by the final one; the only recipient of a mail needs none.
    A report that comes again changes nothing, and one of a delay behind one of a failure neither.
    """
    touched: dict[int, Delivery] = {}
    hard: set[int] = set()
    for told in report.recipients:
        position = _position_of(told, mail.letterhead, report.position)
        if position is None:
            continue
        delivery = touched.get(position, mail.deliveries[position])
        changed = _after(delivery, told)
        # One who was refused, or still waits, has an outcome of his own.
        if delivery.state in HANDED_OVER and changed != delivery:
            touched[position] = changed
            hard |= {position} if _is_hard(told) else set()
    return BounceVerdict(tuple(touched.values()), frozenset(hard))


def _after(delivery: Delivery, told: BouncedRecipient) -> Delivery:
    is_failure = told.kind is BounceKind.FAILED
    default = "it came back" if is_failure else "it is delayed behind the relay"
    return replace(
        delivery,
        state=DeliveryState.BOUNCED if is_failure else DeliveryState.DELAYED,
        reason=meaning(told.status) or default,
        reply=told.reply or told.status,
        remote=told.remote,
    )


def _position_of(told: BouncedRecipient, letterhead: Letterhead, position: int | None) -> int | None:
    """Return which recipient of the letterhead it is, None if that cannot be said."""
    count = len(letterhead.recipients)
    if position is not None:
        return position if position < count else None
    by_address = {mailbox.address.lower(): at for at, mailbox in enumerate(letterhead.recipients)}
    for address in (told.original, told.address):
        if address.lower() in by_address:
            return by_address[address.lower()]
    # Behind an alias the final address is another one; and reports of no standard may name none.
    return 0 if count == 1 else None


def _is_hard(told: BouncedRecipient) -> bool:
    return told.kind is BounceKind.FAILED and (told.status in _USELESS or told.status in _NO_CODE)
