"""Takes each submission once: one that comes again under its key within a day gets its first answer, and no mail."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from app.domain.ports import Clock, ReceiptStore
from app.domain.receipt import KEPT_FOR, Claim, KeptReceipt, KeyReused, Receipt
from app.pipeline.ingest import Submission, Taker

REUSED = "This idempotency key was used within the last 24 hours for something else. Send a new key with new alerts."


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

        Several claims stand for one alert each; of those only the ones that are new are taken.
        """
        if not claims:
            return await self._ingest.take(submission)
        keys = frozenset(claim.key for claim in claims)
        while (ahead := next((self._under_way[key] for key in keys if key in self._under_way), None)) is not None:
            await ahead.wait()
        with self._claimed(keys):
            known = self._fresh(await self._receipts.receipts(sorted(keys)))
            if any(claim.key in known and known[claim.key].claim.digest != claim.digest for claim in claims):
                raise KeyReused(REUSED)
            if claims[0].positions is None:
                first = next(iter(known.values()), None)
                return first.receipt if first else await self._ingest.take(submission, claims)
            return await self._take_new(submission, claims, known)

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
        """Take the alerts whose claims are new, each key once; answer for the others as they were answered."""
        new: dict[bytes, int] = {}  # the position of the alert for each new key, in the submission
        for position, claim in enumerate(claims):
            if claim.key not in known:
                new.setdefault(claim.key, position)
        alerts = [submission.alerts[position] for position in new.values()]
        taken_as = {key: number for number, key in enumerate(new)}
        theirs = [replace(claims[position], positions=(taken_as[key],)) for key, position in new.items()]
        taken = Receipt(())
        if alerts:
            taken = await self._ingest.take(replace(submission, alerts=alerts), theirs)
        ids = [
            taken.ids[taken_as[claim.key]] if claim.key in taken_as else known[claim.key].receipt.ids[0]
            for claim in claims
        ]
        warnings = taken.warnings if alerts else submission.warnings
        return Receipt(tuple(ids), warnings, submission.is_batch)
