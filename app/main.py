"""The composition root: builds every part from the settings, wires them, and runs them."""

import asyncio
import gc
import resource
import socket
import sys
from dataclasses import dataclass
from functools import partial

import uvicorn
import uvloop
from fastapi import FastAPI

from app.clock import SteadyClock, SystemClock
from app.delivery.connection import Connection
from app.delivery.link import RelayLink
from app.delivery.recorder import Recorder
from app.delivery.sender import Sender
from app.delivery.suspects import Suspects
from app.delivery.worker import Tools
from app.domain.envelope import Letterhead
from app.domain.errors import ConfigurationError, ListenFailed
from app.domain.ids import IdSource, time_of
from app.domain.ports import Clock
from app.domain.relay import Relay
from app.httpkit.gate import Gate
from app.httpkit.limits import App, Receive, Scope, Send, ServerLimits
from app.httpkit.server import BACKLOG, SignalFreeServer, server_config
from app.httpkit.tokens import AccessToken
from app.intake.http import AlertsEndpoint
from app.intake.openapi import describe_intake
from app.mail.compose import Composer
from app.mail.templates import load_templates
from app.pipeline.ingest import Ingest, MailPlan
from app.pipeline.queue import MailQueue
from app.pipeline.upkeep import Upkeep
from app.sandbox.pages import sandbox_router
from app.sandbox.relay import SandboxRelay
from app.service import Identity, Parts, Service
from app.settings.model import Settings
from app.storage.database import Mode
from app.storage.journal import SqliteJournal
from app.storage.lock import DirectoryLock
from app.version import __version__
from app.web.alerts import alerts_router
from app.web.errors import answer_errors_as_problems
from app.web.health import HealthCheck, Vitals, health_router

DESCRIPTORS = 4096  # 1,000 clients, those being refused, the relay, the journal
ALERTS_PATHS = frozenset({"/alerts", "/alerts/"})  # curl follows no redirect unless told, and the alert is lost
GC_THRESHOLDS = (50_000, 20, 50)  # young objects, then passes of each generation; Python's 700 suits scripts
# After each call of SQLite the committing thread waits this long for the GIL; Python's 5 ms cost a fifth of the posts.
SWITCH_SECONDS = 0.0002
FQDN_SECONDS = 2  # a resolver that is down must not hold up the start


def serve(settings: Settings) -> int:
    """Run the daemon until it is told to stop; return its exit status.

    Raises ConfigurationError, JournalLocked, JournalUnavailable or ListenFailed when it cannot start.
    """
    _raise_file_limit()
    with DirectoryLock(settings.data_dir), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    listener = listen(settings.http.host, settings.http.port)
    mode = Mode.SANDBOX if settings.sandbox else Mode.LIVE
    journal = SqliteJournal(settings.data_dir, mode=mode, backlog_limit=settings.backlog_limit)
    sandbox = SandboxRelay(clock=SystemClock()) if settings.sandbox else None
    try:
        relay = await sandbox.start() if sandbox else settings.outgoing_relay()
        ground = Ground(settings=settings, clock=SystemClock(), journal=journal, relay=relay, sandbox=sandbox)
        service = await _service(ground, listener)
        _tune_interpreter()
        return await service.run()
    finally:
        await journal.close()
        if sandbox:
            await sandbox.stop()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all parts are built on."""

    settings: Settings
    clock: Clock
    journal: SqliteJournal
    relay: Relay
    sandbox: SandboxRelay | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingHalf:
    """The parts from the queue to the relay."""

    queue: MailQueue
    link: RelayLink
    recorder: Recorder
    sender: Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class TakingHalf:
    """The parts from a post to the journal, and what looks after the journal."""

    ingest: Ingest
    upkeep: Upkeep


async def _service(ground: Ground, listener: socket.socket) -> Service:
    settings = ground.settings
    sending = _sending_half(ground, await _announced_name(settings))
    taking = _taking_half(ground, sending, await ground.journal.keep(_letterhead(settings)))
    return Service(
        Parts(
            journal=ground.journal,
            ingest=taking.ingest,
            sender=sending.sender,
            recorder=sending.recorder,
            upkeep=taking.upkeep,
            server=SignalFreeServer(_server_config(create_app(ground, taking, sending), settings)),
            listener=listener,
        ),
        identity=Identity(version=__version__, host=socket.gethostname(), url=_url(listener)),
        clock=ground.clock,
        drain_timeout=settings.drain_timeout,
        announce=settings.startup_notice,
        on_ready=partial(_banner, _url(listener)) if ground.sandbox else _no_banner,
    )


def _sending_half(ground: Ground, helo_name: str | None) -> SendingHalf:
    journal, relay = ground.journal, ground.relay
    clock = SteadyClock(ground.clock, not_before=time_of(journal.last_id))
    queue = MailQueue(store=journal, clock=clock)
    connect = partial(Connection.open, relay, helo_name=helo_name)
    link = RelayLink(name=relay.name, connect=connect, clock=clock, usable_seconds=journal.usable_seconds)
    recorder = Recorder(store=journal, queue=queue)
    tools = Tools(
        queue=queue,
        link=link,
        recorder=recorder,
        suspects=Suspects(),
        render=Composer(mac_key=journal.mac_key).render,
        clock=clock,
        lifetime=ground.settings.lifetime,
    )
    sender = Sender(tools, connections=ground.settings.relay_connections)
    return SendingHalf(queue=queue, link=link, recorder=recorder, sender=sender)


def _taking_half(ground: Ground, sending: SendingHalf, letterhead_id: int) -> TakingHalf:
    journal, clock, usable_seconds = ground.journal, ground.clock, sending.link.usable_seconds
    ingest = Ingest(
        store=journal,
        ids=IdSource(last=journal.last_id),
        clock=clock,
        plan=MailPlan(letterhead_id=letterhead_id, usable_seconds=usable_seconds),
        on_accepted=sending.queue.wake,
    )
    upkeep = Upkeep(store=journal, clock=clock, retention=ground.settings.retention, usable_seconds=usable_seconds)
    return TakingHalf(ingest=ingest, upkeep=upkeep)


def _letterhead(settings: Settings) -> Letterhead:
    assert settings.mail_from is not None, "load_settings refuses to go on without a sender"
    return Letterhead(
        server_name=settings.server_name,
        sender=settings.mail_from,
        recipients=settings.mail_to,
        templates=load_templates(settings.templates_dir),
    )


def create_app(ground: Ground, taking: TakingHalf, sending: SendingHalf) -> App:
    """Return the whole application: the intake's fast path before FastAPI, which serves the rest."""
    # No interactive docs: their pages load scripts from elsewhere.
    api = FastAPI(title="Mail Alert System", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False)
    api.include_router(alerts_router(ground.journal, sending.queue.is_sending))
    api.include_router(health_router(_health_check(ground, taking, sending)))
    if ground.sandbox:
        api.include_router(sandbox_router(ground.sandbox.store, clock=ground.clock))
    answer_errors_as_problems(api)
    describe_intake(api)
    alerts = AlertsEndpoint(taking.ingest, body_limit=ground.settings.http.body_limit)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in ALERTS_PATHS and scope["method"] not in {"GET", "HEAD"}:
            await alerts(scope, receive, send)
        else:
            await api(scope, receive, send)

    return front


def _health_check(ground: Ground, taking: TakingHalf, sending: SendingHalf) -> HealthCheck:
    return HealthCheck(
        vitals=partial(_vitals, ground.journal, taking, sending),
        clock=ground.clock,
        version=__version__,
        started=ground.clock.monotonic(),
        degraded_after=ground.settings.degraded_after,
    )


def _vitals(journal: SqliteJournal, taking: TakingHalf, sending: SendingHalf) -> Vitals:
    link = sending.link
    return Vitals(
        closing=taking.ingest.closed,
        journal_fault=journal.fault,
        relay_fault=link.last_reason,
        queue_fault=sending.queue.fault or journal.quarantine,
        blocked_for=link.blocked_for,
        queue_depth=journal.open_count,
        oldest_open_at=taking.upkeep.oldest_open_at,
    )


def _server_config(app: App, settings: Settings) -> uvicorn.Config:
    http = settings.http
    token = AccessToken(http.token.get_secret_value()) if http.token else None
    gate = Gate(app, token=token, allowed_hosts=frozenset(http.allowed_hosts))
    return server_config(gate, limits=ServerLimits(), trusted_proxies=http.trusted_proxies)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises ListenFailed, or ConfigurationError for a host that this machine has not."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise ConfigurationError(f"http.host {host}: {error.strerror}; set an address of this machine") from error
    except OSError as error:
        raise ListenFailed(
            f"cannot listen on {host} port {port}: {error.strerror};"
            " stop the program that holds it, or set http.port (MAILALERT_HTTP__PORT)"
        ) from error


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
