"""What the doors of the intake hand their alerts to, without a journal behind it."""

import asyncio
from collections.abc import Sequence

from app.domain.alert import Alert
from app.domain.receipt import Claim, Receipt
from app.pipeline.ingest import Submission


class FakeOnce:
    """Takes every alert once `open` is set, or raises `fault`. The ids of a submission count from `first_id`."""

    def __init__(self, *, first_id: int = 0) -> None:
        self._first_id = first_id
        self.alerts: list[Alert] = []
        self.claims: list[Claim] = []
        self.fault: Exception | None = None
        self.asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def take(self, submission: Submission, claims: Sequence[Claim] = ()) -> Receipt:
        """Do as the pipeline's Once does."""
        self.asked.set()
        await self.open.wait()
        if self.fault:
            raise self.fault
        self.alerts += submission.alerts
        self.claims += claims
        ids = range(self._first_id, self._first_id + len(submission.alerts))
        return Receipt(tuple(ids), submission.warnings, submission.is_batch)
