"""What the daemon still says when its journal does not let it start: no mail can leave, but url and command work."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from app.domain.alarm_causes import start_alarm
from app.domain.errors import JournalCorrupt, JournalUnavailable
from app.domain.ports import Clock
from app.pipeline.alarm_desk import AlarmDesk
from app.settings.model import Settings
from app.wiring.alarming import sinks_without_mail

STAMP_FILE = "last-words"
PATIENCE = timedelta(seconds=10)  # one call of a webhook; a service manager starts the next try after it
NEVER = 0.0  # the stamp's time before anything was said


class Stamp:
    """Remembers by a file's time when the last words were said: once the file is there, that needs no room."""

    def __init__(self, path: Path) -> None:
        """Make the file while there is room; without it the words are said at every failing start."""
        self._path = path
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            os.utime(path, (NEVER, NEVER))

    async def note_alarm(self, cause: str, at: datetime, quiet: timedelta) -> bool:  # noqa: ARG002 - it is the only one
        """Return whether nothing was said within `quiet` before; if so, note this. Raises OSError."""
        now = at.timestamp()
        if 0 <= now - self._path.stat().st_mtime < quiet.total_seconds():
            return False
        os.utime(self._path, (now, now))
        return True


@contextmanager
def last_words(settings: Settings, clock: Clock) -> Iterator[None]:
    """Raise an alarm by url and command, at most once an hour, when the journal ends what runs in the context.

    Enter it while the data directory is locked, and with no event loop running.
    """
    stamp = Stamp(settings.data_dir / STAMP_FILE)
    try:
        yield
    except (JournalUnavailable, JournalCorrupt) as error:
        asyncio.run(_say(str(error), AlarmDesk(sinks=sinks_without_mail(settings, clock), memory=stamp, clock=clock)))
        raise


async def _say(fault: str, desk: AlarmDesk) -> None:
    async with asyncio.TaskGroup() as group:
        running = group.create_task(desk.run())
        desk.raise_alarm(start_alarm(fault))
        await desk.finish(within=PATIENCE)
        running.cancel()
