"""Takes alerts out of the spool of this machine, where clients leave them while the daemon does not answer."""

import asyncio
from datetime import timedelta

import structlog

from app.domain.errors import JournalUnavailable
from app.domain.ids import format_id
from app.domain.ports import Clock
from app.domain.receipt import KeyReused, Receipt
from app.intake.spool_folder import SpoolFile, SpoolFolder, Unusable
from app.intake.spool_reading import SpoolReader, claim_on
from app.pipeline.ingest import Submission, Taker

EVERY = timedelta(seconds=2)
AT_ONCE = 100  # files that are taken before the directory is listed again, the oldest first

log = structlog.get_logger()


class SpoolWatcher:
    """Looks into the spool until it is cancelled."""

    def __init__(self, *, folder: SpoolFolder, reader: SpoolReader, once: Taker, clock: Clock) -> None:
        self._folder = folder
        self._reader = reader
        self._once = once
        self._clock = clock
        self._said = ""  # what is wrong with the whole directory, said once

    async def run(self) -> None:
        """Look every two seconds; at once again while there is more."""
        while True:
            pause = EVERY
            try:
                if await self.look() == AT_ONCE:
                    pause = timedelta(0)
            except JournalUnavailable as error:  # the files stay
                pause = max(EVERY, error.retry_after)
            except Exception:  # the spool is not worth the daemon
                log.exception("spool_failed")
            await asyncio.sleep(pause.total_seconds())

    async def look(self) -> int:
        """Take what is there; return how many alerts were taken. Raises JournalUnavailable."""
        try:
            names = await asyncio.to_thread(self._folder.names, AT_ONCE, now=self._clock.now())
        except Unusable as error:
            self._say(str(error))
            return 0
        self._say("")
        taken = 0
        for name in names:
            try:
                taken += await self._take(name)
            except Unusable as error:
                log.warning("spool_file_left", file=name, reason=str(error))
                await asyncio.to_thread(self._folder.leave, name)
            except JournalUnavailable:
                raise
            except Exception:  # one file must not keep the others waiting
                log.exception("spool_file_failed", file=name)
                await asyncio.to_thread(self._folder.leave, name)
        return taken

    async def _take(self, name: str) -> bool:
        """Return whether an alert was taken. The file goes once that is durable; after a crash the claim tells."""
        file = await asyncio.to_thread(self._folder.read, name)
        if file is None:
            return False
        found = await asyncio.to_thread(self._reader.read, file, at=self._clock.now())
        reading = found.reading
        submission = Submission(alerts=reading.alerts, warnings=reading.warnings, is_batch=reading.is_batch)
        try:
            receipt = await self._once.take(submission, found.claims)
        except KeyReused:  # somebody wrote another alert under a key that was used; it is no less an alert
            receipt = await self._once.take(submission, (claim_on(file),))
        self._note(file, receipt)
        await asyncio.to_thread(self._folder.remove, name)
        return True

    def _note(self, file: SpoolFile, receipt: Receipt) -> None:
        for number in receipt.ids:
            log.info("alert_accepted", alert=format_id(number), spooled_by=file.owner)

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self._said:
            log.error("spool_unusable", reason=trouble)
        self._said = trouble
