"""Takes alerts out of the spool of this machine, where clients leave them while the daemon does not answer."""

import asyncio
from datetime import timedelta
from functools import partial

import structlog

from app.domain.errors import JournalUnavailable
from app.domain.ports import Clock
from app.domain.receipt import KeyReused
from app.intake.handing_over import hand_over
from app.intake.spool_folder import SpoolFolder, Unusable, Useless
from app.intake.spool_reading import SpoolReader, claim_on
from app.pipeline.ingest import Taker

EVERY = timedelta(seconds=2)
AT_ONCE = 100  # files that are taken before the directory is listed again

log = structlog.get_logger()


class SpoolWatcher:
    """Looks into the spool until it is cancelled."""

    def __init__(self, *, folder: SpoolFolder, reader: SpoolReader, once: Taker, clock: Clock) -> None:
        self._folder = folder
        self._reader = reader
        self._once = once
        self._clock = clock
        self._is_more = False  # than was listed in the last look
        self._said = ""  # what is wrong with the whole directory, said once

    async def run(self) -> None:
        """Look every two seconds; at once again while there is more."""
        while True:
            pause = EVERY
            try:
                handled = await self.look()
                if handled and self._is_more:
                    pause = timedelta(0)
            except JournalUnavailable as error:  # the files stay
                pause = max(EVERY, error.retry_after)
            except Exception:  # the spool is not worth the daemon
                log.exception("spool_failed")
            await asyncio.sleep(pause.total_seconds())

    async def look(self) -> int:
        """Take what is there; return how many files were handled, not left. Raises JournalUnavailable."""
        try:
            names = await asyncio.to_thread(self._folder.names, AT_ONCE, now=self._clock.now())
        except Unusable as error:
            self._say(str(error))
            return 0
        self._say("")
        self._is_more = len(names) == AT_ONCE
        handled = 0
        for name in names:
            try:
                handled += await self._take(name)
            except Unusable as error:
                handled += await self._get_rid(name, error)
            except JournalUnavailable:
                raise
            except Exception:  # one file must not keep the others waiting
                log.exception("spool_file_failed", file=name)
                await asyncio.to_thread(self._folder.leave, name)
        return handled

    async def _get_rid(self, name: str, error: Unusable) -> bool:
        """Return whether the file is gone. One that somebody may mend is left, and told once."""
        if isinstance(error, Useless):
            try:
                await asyncio.to_thread(self._folder.remove, name)
            except Unusable as failed:  # a directory that is not empty
                error = failed
            else:
                log.warning("spool_file_removed", file=name, reason=str(error))
                return True
        if await asyncio.to_thread(self._folder.leave, name):
            log.warning("spool_file_left", file=name, reason=str(error))
        return False

    async def _take(self, name: str) -> bool:
        """Return whether an alert was taken. The file goes once that is durable; after a crash the claim tells."""
        file = await asyncio.to_thread(self._folder.read, name)
        if file is None:
            return False
        found = await asyncio.to_thread(self._reader.read, file, at=self._clock.now())
        hand_in = partial(hand_over, self._once, found.reading, log=log, door="spool", spooled_by=file.owner)
        try:
            await hand_in(found.claims)
        except KeyReused:  # somebody wrote another alert under a key that was used; it is no less an alert
            await hand_in((claim_on(file),))
        await asyncio.to_thread(self._folder.remove, name)
        return True

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self._said:
            log.error("spool_unusable", reason=trouble)
        self._said = trouble
