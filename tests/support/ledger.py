"""The ledger that closes a fault run: what was accepted, what the servers stored, what the journal says.

    balance = close_ledger(accepted=ids, stored=copies_at(relay), journal=read_journal(data_dir))
    assert balance.delivered == 2

The three records come from three places, so that no part of the system vouches for itself. What does not
balance, per alert and recipient, is an AssertionError that names every line of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

MAX_FAULTS_SHOWN = 20


class Fate(Enum):
    """How the journal says that a mail ended, or stands, for one recipient."""

    SENT = "sent"
    DEAD = "dead letter"
    QUEUED = "queued"
    QUARANTINED = "quarantined"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Line:
    """What the journal says of one mail and one recipient."""

    alert: str
    envelope: str
    recipient: str
    fate: Fate
    possibly_twice: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """One mail that a server stored for one recipient, named by its envelope; `content` tells copies apart."""

    envelope: str
    recipient: str
    message_id: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The accepted alerts times their recipients, by where they ended; `unanswered` got no 202 and count nowhere."""

    accepted: int
    delivered: int
    dead: int
    queued: int
    quarantined: int
    dropped: int
    flagged: int  # lines of any fate that may have come twice
    unanswered: int


def close_ledger(*, accepted: Sequence[str], stored: Iterable[Copy], journal: Sequence[Line]) -> Balance:
    """Return the balance of a run; fail unless the three records agree."""
    copies = list(stored)
    faults = [*_missing(accepted, journal), *_disagreements(journal, copies), *_impostors(journal, copies)]
    faults += _altered(copies)
    shown = "\n  ".join(faults[:MAX_FAULTS_SHOWN])
    assert not faults, f"the ledger does not balance ({len(faults)} faults):\n  {shown}"
    balance = _sum(set(accepted), journal)
    parts = (balance.delivered, balance.dead, balance.queued, balance.quarantined, balance.dropped)
    assert balance.accepted == sum(parts), f"the sum does not hold: {balance}"
    return balance


def _missing(accepted: Sequence[str], journal: Sequence[Line]) -> list[str]:
    """Alerts that were answered 202 and that the journal has not, or has twice."""
    known = {line.alert for line in journal}
    faults = [
        f"alert {alert} was answered 202, and the journal has not heard of it"
        for alert in sorted(set(accepted) - known)
    ]
    faults += [f"two alerts were answered 202 as {alert}" for alert, times in Counter(accepted).items() if times > 1]
    lines = Counter((line.alert, line.recipient) for line in journal)
    faults += [f"alert {alert} has {times} lines for {to}" for (alert, to), times in lines.items() if times > 1]
    return faults


def _disagreements(journal: Sequence[Line], copies: list[Copy]) -> list[str]:
    """Lines of the journal that the servers do not bear out."""
    counted = Counter((copy.envelope, copy.recipient) for copy in copies)
    found = ((line, _disagreement(line, counted[line.envelope, line.recipient])) for line in journal)
    return [f"alert {line.alert} to {line.recipient} is {line.fate.value}: {fault}" for line, fault in found if fault]


def _disagreement(line: Line, copies: int) -> str:
    if line.fate is Fate.SENT and not copies:
        return "no server stored it"
    if line.possibly_twice:
        return ""
    if line.fate is not Fate.SENT and copies:
        return f"a server stored it {copies} times, and no flag says so"
    return f"it was stored {copies} times, and no flag says so" if copies > 1 else ""


def _impostors(journal: Sequence[Line], copies: list[Copy]) -> list[str]:
    """Mails at a server that the journal knows nothing of, or for somebody whom it does not name."""
    known = {(line.envelope, line.recipient) for line in journal}
    strange = sorted({(copy.envelope, copy.recipient) for copy in copies} - known)
    return [f"a server stored {envelope} for {recipient}, which the journal has not" for envelope, recipient in strange]


def _altered(copies: list[Copy]) -> list[str]:
    """Mails of one Message-ID that differ, which no reader would recognise as one."""
    contents: defaultdict[str, set[bytes]] = defaultdict(set)
    for copy in copies:
        contents[copy.message_id].add(copy.content)
    return [f"{name} came with {len(seen)} different contents" for name, seen in contents.items() if len(seen) > 1]


def _sum(accepted: set[str], journal: Sequence[Line]) -> Balance:
    ours = [line for line in journal if line.alert in accepted]
    fates = Counter(line.fate for line in ours)
    return Balance(
        accepted=len(ours),
        delivered=fates[Fate.SENT],
        dead=fates[Fate.DEAD],
        queued=fates[Fate.QUEUED],
        quarantined=fates[Fate.QUARANTINED],
        dropped=fates[Fate.DROPPED],
        flagged=sum(line.possibly_twice for line in ours),
        unanswered=len(journal) - len(ours),
    )
