"""Bounces: what a server behind the relay says of a mail that the relay took, and what that changes."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.address import folded
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

    `counted_out` are those that had one hard bounce too many, and get no more mail until a person releases them.
    `is_early`: the report came before the journal knew that the relay had taken the mail, and may be read again soon.
    `unplaced` are what it says of recipients that the mail does not have.
    """

    mail: QueuedMail
    touched: tuple[Delivery, ...] = ()
    counted_out: tuple["SetAsideAddress", ...] = ()
    is_early: bool = False
    unplaced: tuple[BouncedRecipient, ...] = ()


@dataclass(frozen=True, slots=True)
class SetAsideAddress:
    """A recipient whose mails bounced too often: none is sent there. `reply` is what was said last."""

    address: str
    bounces: int
    since: datetime
    reply: str


BOUNCE_MEMORY = timedelta(days=30)  # for which hard bounces count: an address that bounces once a year works
# RFC 3463 section 3, RFC 7505 section 4.2 (5.1.10), RFC 7293 section 15.4 (5.7.17, 5.7.18): the address or the domain
# is of no use, whatever is sent there. A full mailbox, a refused content and any other policy may be others tomorrow,
# and a failure without a reason (5.0.0) may be any of these: what is refused as spam often looks like that.
_USELESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4", "5.7.17", "5.7.18"})


@dataclass(frozen=True, slots=True)
class BounceVerdict:
    """The deliveries that a report changes, each as it is from now on.

    `hard` are the positions of those whose address is of no use. `is_repeated`: it says nothing new of a recipient.
    `is_early` and `unplaced` are as in BounceEffect.
    """

    touched: tuple[Delivery, ...] = ()
    hard: frozenset[int] = frozenset()
    is_repeated: bool = False
    is_early: bool = False
    unplaced: tuple[BouncedRecipient, ...] = ()


def judge_bounce(mail: QueuedMail, report: BounceReport) -> BounceVerdict:
    """Return what the report changes.

    A recipient is found by the address that we wrote, else by the final one; the only recipient of a mail needs none.
    A report that comes again changes nothing, and one of a delay behind one of a failure neither.
    """
    touched: dict[int, Delivery] = {}
    hard: set[int] = set()
    unplaced: list[BouncedRecipient] = []
    is_repeated = is_early = False
    for told in report.recipients:
        position = _position_of(told, mail.letterhead, report.position)
        if position is None:
            unplaced.append(told)
            continue
        delivery = touched.get(position, mail.deliveries[position])
        changed = _after(delivery, told)
        # One who was refused has an outcome of his own; one who waits may have been handed over a moment ago.
        if delivery.state in HANDED_OVER and changed != delivery:
            touched[position] = changed
            hard |= {position} if _is_hard(told) else set()
        is_early |= delivery.state is DeliveryState.PENDING
        is_repeated |= delivery.state is not DeliveryState.PENDING and position not in touched
    return BounceVerdict(tuple(touched.values()), frozenset(hard), is_repeated, is_early, tuple(unplaced))


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
    by_address = {folded(mailbox.address): at for at, mailbox in enumerate(letterhead.recipients)}
    for address in (told.original, told.address):
        if folded(address) in by_address:
            return by_address[folded(address)]
    # Behind an alias the final address is another one; and reports of no standard may name none.
    return 0 if count == 1 else None


def _is_hard(told: BouncedRecipient) -> bool:
    return told.kind is BounceKind.FAILED and told.status in _USELESS
