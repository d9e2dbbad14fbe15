"""Gathers what runs beside the service, from its start until it is cancelled."""

from app.pipeline.held_alarms import HeldAlarms
from app.wiring.alarming import Alarming
from app.wiring.ground import Ground
from app.wiring.reading import ReadingSide, Work
from app.wiring.sending import SendingHalf
from app.wiring.spooling import spool_watcher
from app.wiring.taking import TakingHalf


def background_work(
    ground: Ground,
    taking: TakingHalf,
    sending: SendingHalf,
    reading: ReadingSide,
    watching: Alarming,
    held: HeldAlarms,
) -> tuple[Work, ...]:
    """Return it; what the settings leave out is not among it."""
    work: list[Work] = [sending.expiry.run, watching.watch.run, taking.heartbeats.run, held.run, *reading.work()]
    if watching.pinger:
        work.append(watching.pinger.run)
    if spool := spool_watcher(ground, taking):
        work.append(spool.run)
    return tuple(work)
