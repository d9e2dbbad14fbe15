"""The composition root: builds every part from the settings, wires them, and runs them."""

import asyncio
import gc
import resource
import socket
import sys
from functools import partial

import structlog
import uvloop

from app.clock import SystemClock
from app.delivery.direct import DirectSender
from app.domain.errors import JournalCorrupt, JournalUnavailable
from app.domain.relay import DEFAULT_POLICY
from app.httpkit.server import SignalFreeServer
from app.pipeline.alarm_desk import AlarmDesk
from app.pipeline.held_alarms import HeldAlarms
from app.sandbox.relay import SandboxRelay
from app.service import Identity, Parts, Service
from app.settings.model import Settings
from app.settings.relays import RelaySetup
from app.storage.database import Mode
from app.storage.journal import SqliteJournal
from app.storage.lock import DirectoryLock
from app.storage.rescue import RescueReport, rescue_journal
from app.version import __version__
from app.wiring.alarming import alarm_sinks, alarming
from app.wiring.background import background_work
from app.wiring.ground import lay_ground
from app.wiring.last_words import last_words
from app.wiring.listening import listen
from app.wiring.reading import reading_side, standing_troubles
from app.wiring.sending import all_approaches, all_relays, mail_composer, mail_queue, sending_half
from app.wiring.serving import create_app, gated_server
from app.wiring.smtp_intake import smtp_intake
from app.wiring.taking import letterhead_of, taking_half
from app.wiring.vitals import current_vitals

log = structlog.get_logger()

DESCRIPTORS = 4096  # 1,000 clients, those being refused, the relay, the journal
GC_THRESHOLDS = (50_000, 20, 50)  # young objects, then passes of each generation; Python's 700 suits scripts
# After each call of SQLite the committing thread waits this long for the GIL; Python's 5 ms cost a fifth of the posts.
SWITCH_SECONDS = 0.0002
FQDN_SECONDS = 2  # a resolver that is down must not hold up the start
MAX_RESCUES = 3  # of one process: a disk that damages every new journal needs a person


def serve(settings: Settings) -> int:
    """Run the daemon until it is told to stop; return its exit status.

    A damaged journal is replaced by a new one with all that can be read of it. Raises ConfigurationError,
    JournalLocked, JournalUnavailable, JournalCorrupt or ListenFailed when it cannot run.
    """
    _raise_file_limit()
    rescue: RescueReport | None = None
    with DirectoryLock(settings.data_dir), last_words(settings, SystemClock()):
        for rescues_left in reversed(range(MAX_RESCUES + 1)):
            try:
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    return runner.run(_serve(settings, rescue))
            except JournalCorrupt as error:
                log.error("journal_damaged", error=str(error))  # noqa: TRY400 - damage is no fault of the program
                if not rescues_left:
                    raise
                rescue = rescue_journal(
                    settings.data_dir, _mode(settings), SystemClock().now(), letterhead=letterhead_of(settings)
                )
    raise AssertionError("unreachable: the last round returns or raises")


async def _serve(settings: Settings, rescue: RescueReport | None) -> int:
    listener = listen(settings.http.host, settings.http.port, section="http")
    journal = SqliteJournal(settings.data_dir, mode=_mode(settings), backlog_limit=settings.backlog_limit)
    sandbox = SandboxRelay(clock=SystemClock()) if settings.sandbox else None
    try:
        if sandbox:
            relays: tuple[RelaySetup, ...] = (RelaySetup(relay=await sandbox.start(), policy=DEFAULT_POLICY),)
        else:
            relays = settings.outgoing_relays()
        service = await _service(settings, journal, relays, sandbox, listener, rescue)
        _tune_interpreter()
        return await service.run()
    except JournalUnavailable as error:
        # Met before the service ran. What lasts is told apart from what may pass.
        raise (journal.broken.result() if journal.broken.done() else error) from error
    finally:
        listener.close()
        await journal.close()
        if sandbox:
            await sandbox.stop()


def _mode(settings: Settings) -> Mode:
    return Mode.SANDBOX if settings.sandbox else Mode.LIVE


def _raise_file_limit() -> None:
    """Allow the descriptors that all connections at once need; login shells often give 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _tune_interpreter() -> None:
    """Suit Python to one busy event loop beside a thread that commits."""
    # What an alert makes holds no cycles: at Python's default the search for them took 8 % of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_SECONDS)


async def _service(
    settings: Settings,
    journal: SqliteJournal,
    relay_setups: tuple[RelaySetup, ...],
    sandbox: SandboxRelay | None,
    listener: socket.socket,
    rescue: RescueReport | None,
) -> Service:
    ground = lay_ground(settings, journal, relays=relay_setups, sandbox=sandbox)
    queue = mail_queue(ground)
    name = await _announced_name(settings)
    approaches = all_approaches(ground, helo_name=name)
    relays = all_relays(ground, approaches)
    composer, direct = mail_composer(ground), DirectSender(approaches)
    taking = await taking_half(ground, queue, relays)
    desk = AlarmDesk(sinks=alarm_sinks(ground, taking, composer, direct), memory=journal, clock=ground.clock)
    held = HeldAlarms(is_acknowledged=taking.acknowledgements.holds, raise_alarm=desk.raise_alarm)
    sending = sending_half(ground, queue, relays, taking, composer, held)
    reading = reading_side(ground, taking, direct, held, raise_alarm=desk.raise_alarm)
    vitals = partial(current_vitals, ground, taking, sending, reading)
    watching = alarming(ground, relays, desk, vitals=vitals, troubles=partial(standing_troubles, taking, reading))
    return Service(
        Parts(
            journal=journal,
            ingest=taking.ingest,
            sender=sending.sender,
            recorder=sending.recorder,
            upkeep=taking.upkeep,
            alarm_desk=desk,
            background=background_work(ground, taking, sending, reading, watching, held),
            server=SignalFreeServer(gated_server(create_app(ground, taking, sending, vitals), ground)),
            listener=listener,
            smtp_intake=smtp_intake(ground, taking, hostname=name or socket.gethostname()),
            mailbox_is_read=reading.poller.first_look if reading.poller else None,
        ),
        identity=Identity(version=__version__, host=socket.gethostname(), url=_url(listener)),
        clock=ground.clock,
        drain_timeout=settings.drain_timeout,
        announce=settings.startup_notice,
        rescue=rescue,
        on_ready=partial(_banner, _url(listener)) if sandbox else _no_banner,
    )


async def _announced_name(settings: Settings) -> str | None:
    """Return the name for EHLO; None if there is none in time, and connections then give their address instead."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(settings.announced_name), FQDN_SECONDS)
    except TimeoutError:
        return None


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _banner(url: str) -> None:
    print(  # noqa: T201 - for the person who typed `make run`; the log is for machines
        f"""
  Mail Alert System {__version__}, sandbox: mail stays on this machine.

    post an alert   curl -d 'backup failed on db1' {url}/alerts
    see the mails   {url}/sandbox
    stop            Ctrl-C
""",
        file=sys.stderr,
        flush=True,
    )


def _no_banner() -> None:
    """Say nothing: a live daemon is watched through its log."""
