"""What all parts are built on."""

from dataclasses import dataclass

from app.clock import SteadyClock, SystemClock
from app.domain.elapsed import Stopwatch
from app.domain.ids import IdSource, time_of
from app.domain.ports import Clock
from app.httpkit.access import AccessControl
from app.sandbox.relay import SandboxRelay
from app.settings.model import Settings
from app.settings.relays import RelaySetup
from app.storage.journal import SqliteJournal
from app.wiring.access import access_control


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The settings, the clocks, the journal, and where mail goes.

    `clock` is the machine's and stands in mails; queue, sender and upkeep live by `steady`, which never goes back.
    `access` is what every door asks who comes in.
    """

    settings: Settings
    access: AccessControl
    clock: Clock
    steady: Clock
    running: Stopwatch
    ids: IdSource
    journal: SqliteJournal
    relays: tuple[RelaySetup, ...]
    sandbox: SandboxRelay | None


def lay_ground(
    settings: Settings, journal: SqliteJournal, *, relays: tuple[RelaySetup, ...], sandbox: SandboxRelay | None
) -> Ground:
    """Return the ground; in the sandbox its relay is the only one."""
    clock = SystemClock()
    known_at = max(time_of(journal.last_id), journal.kept_at or time_of(0))
    return Ground(
        settings=settings,
        access=access_control(settings, clock),
        clock=clock,
        steady=SteadyClock(clock, not_before=known_at),
        running=Stopwatch(clock, seconds_before=journal.running_seconds),
        ids=IdSource(last=journal.last_id),
        journal=journal,
        relays=relays,
        sandbox=sandbox,
    )
