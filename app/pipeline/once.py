"""Takes each submission once: one that comes again under its key within a day gets its first answer, and no mail."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from app.domain.ports import Clock, ReceiptStore
from app.domain.receipt import KEPT_FOR, Claim, KeptReceipt, KeyReused, Receipt
from app.pipeline.ingest import Submission, Taker

REUSED = "This idempotency key was used within the last 24 hours for something else. Send a new key with new alerts."

TAKEN_ANYWAY = (
    "an event has the id of another one of the last 24 hours and says something else; it is taken as a new alert"
)


class Once:
    """Stands before the ingest for senders that name their submissions."""

    def __init__(self, *, ingest: Taker, receipts: ReceiptStore, clock: Clock) -> None:
        """`clock` must never go back: a receipt counts for a day of it."""
        self._ingest = ingest
        self._receipts = receipts
        self._clock = clock
        self._under_way: dict[bytes, asyncio.Event] = {}

    async def take(self, submission: Submission, claims: Sequence[Claim] = ()) -> Receipt:
        """Return the receipt, the first one if the claims are known. Raises KeyReused, and what Ingest.take raises.

        A claim on the whole submission decides first. Those on one alert each then tell which alerts are new.
        """
        if not claims:
            return await self._ingest.take(submission)
        keys = frozenset(claim.key for claim in claims)
        while (ahead := next((self._under_way[key] for key in keys if key in self._under_way), None)) is not None:
            await ahead.wait()
        with self._claimed(keys):
            known = self._fresh(await self._receipts.receipts(sorted(keys)))
            first = _answer_to_all(claims, known)
            return first or await self._take_new(submission, claims, known)

    @contextmanager
    def _claimed(self, keys: frozenset[bytes]) -> Iterator[None]:
        """Keep others with one of these keys waiting meanwhile."""
        done = asyncio.Event()
        self._under_way.update(dict.fromkeys(keys, done))
        try:
            yield
        finally:
            for key in keys:
                del self._under_way[key]
            done.set()

    def _fresh(self, kept: Mapping[bytes, KeptReceipt]) -> dict[bytes, KeptReceipt]:
        since = self._clock.now() - KEPT_FOR
        return {key: receipt for key, receipt in kept.items() if receipt.made_at >= since}

    async def _take_new(
        self, submission: Submission, claims: Sequence[Claim], known: Mapping[bytes, KeptReceipt]
    ) -> Receipt:
        """Take the alerts whose claims are new, and those without one; answer for the others as they were answered."""
        parted = _part(len(submission.alerts), claims, known)
        whole = [claim for claim in claims if claim.position is None]
        warnings = submission.warnings + ((TAKEN_ANYWAY,) if parted.has_conflicts else ())
        if not parted.new and not whole:
            return Receipt(parted.answer_ids(()), warnings, submission.is_batch)
        alerts = [submission.alerts[position] for position in parted.new]
        new = replace(submission, alerts=alerts, warnings=warnings, answer_ids=parted.answer_ids)
        return await self._ingest.take(new, whole + parted.claims)


def _answer_to_all(claims: Sequence[Claim], known: Mapping[bytes, KeptReceipt]) -> Receipt | None:
    """Return the receipt of a whole submission that is known. Raises KeyReused if another one has its claim."""
    kept = [(claim, known[claim.key]) for claim in claims if claim.position is None and claim.key in known]
    if any(receipt.claim.digest != claim.digest for claim, receipt in kept):
        raise KeyReused(REUSED)
    return kept[0][1].receipt if kept else None


@dataclass(slots=True)
class _Parted:
    """The alerts of a submission by their positions: the `new` ones, and the ids of those that were taken before.

    `turns` say which of the new ones an alert is: an event that is there twice is taken once. `claims` are the new.
    """

    new: list[int] = field(default_factory=list)
    ids: dict[int, int] = field(default_factory=dict)
    turns: dict[int, int] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    has_conflicts: bool = False

    def take(self, position: int) -> None:
        """Let this alert be taken."""
        self.turns[position] = len(self.new)
        self.new.append(position)

    def answer_ids(self, taken: Sequence[int]) -> tuple[int, ...]:
        """Return the ids of all alerts in order, where the new ones have got the ids `taken`."""
        count = len(self.ids) + len(self.turns)
        return tuple(self.ids[at] if at in self.ids else taken[self.turns[at]] for at in range(count))


def _part(count: int, claims: Sequence[Claim], known: Mapping[bytes, KeptReceipt]) -> _Parted:
    by_position = {claim.position: claim for claim in claims}
    ahead: dict[bytes, Claim] = {}
    parted = _Parted()
    for position in range(count):
        claim = by_position.get(position)
        if claim is None:
            parted.take(position)
            continue
        kept, twin = known.get(claim.key), ahead.get(claim.key)
        if kept is not None and kept.claim.digest == claim.digest:
            parted.ids[position] = kept.receipt.ids[0]
        elif twin is not None and twin.position is not None and twin.digest == claim.digest:
            parted.turns[position] = parted.turns[twin.position]
        elif kept is not None or twin is not None:  # one name for two events: neither may be lost
            parted.take(position)
            parted.has_conflicts = True
        else:
            ahead[claim.key] = claim
            parted.claims.append(claim)
            parted.take(position)
    return parted
