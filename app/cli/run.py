"""`mailalert run`: run a command, and tell when it fails."""

import os
import pwd
import sys
from dataclasses import dataclass

import click

from app.cli.child import CommandEnd, run_command
from app.cli.client import HAND_IN_S, ClientError, Daemon, read_token
from app.cli.duration import DurationType
from app.cli.emptying import empty_beside
from app.cli.ending import USAGE, fail, warn
from app.cli.handing_in import HandedIn, Handover, Kept, NotTaken, in_words
from app.cli.held_signals import signals_held
from app.cli.native import spooled_alert
from app.cli.options import SEVERITIES, receiver_option, to_option, url_option, wait_option
from app.cli.output_log import OutputLog
from app.cli.patience import Patience
from app.cli.pinging import ping_end, ping_start
from app.cli.run_report import MAX_NAME, Job, alert_of, default_name, text_of
from app.cli.spool import usable_spool
from app.domain.ping import MAX_OUTPUT
from app.domain.text import one_line, shorten

FAILURE, ALWAYS, SUCCESS = "failure", "always", "success"
MAX_TAIL_LINES = 10_000  # more are in the attached log


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """When and how the end of a command is told."""

    on: str
    tail: int
    severity: str | None
    to: tuple[str, ...]
    receivers: tuple[str, ...]
    heartbeat: str | None
    wait_s: float

    def wants(self, end: CommandEnd) -> bool:
        """Tell whether this end is to be mailed."""
        return self.on == ALWAYS or end.ok == (self.on == SUCCESS)


@click.command(context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--name", help="What the job is called; else the name of the program.")
@click.option(
    "--on", type=click.Choice([FAILURE, ALWAYS, SUCCESS]), default=FAILURE, show_default=True, help="When to tell."
)
@click.option("--timeout", "timeout_s", metavar="TIME", type=DurationType(), help="End it after 90, 30s, 10m or 2h.")
@click.option(
    "--tail",
    metavar="LINES",
    type=click.IntRange(0, MAX_TAIL_LINES),
    default=200,
    show_default=True,
    help="How many of the last lines stand in the mail; all of the output is attached.",
)
@click.option("--heartbeat", metavar="NAME", help="A heartbeat of the daemon that start and end are reported to.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="How bad a failure is; else error.")
@click.option("--show-command", is_flag=True, help="Show the whole command line in the mail, with its arguments.")
@to_option
@receiver_option
@wait_option
@url_option
def run(  # noqa: PLR0913 - one for each option
    *,
    command: tuple[str, ...],
    name: str | None,
    timeout_s: float | None,
    show_command: bool,
    url: str,
    on: str,
    tail: int,
    heartbeat: str | None,
    severity: str | None,
    to: tuple[str, ...],
    receivers: tuple[str, ...],
    wait_s: float,
) -> None:
    """Run COMMAND, pass on what it writes, and send an alert when it fails: mailalert run -- backup.sh /home

    Ends as the command does: with its exit code, 128 and the number of a signal that killed it, 124 after --timeout
    (SIGTERM, and 10 s later SIGKILL, to all that it started; in the foreground of a terminal to COMMAND alone), 127
    if it is not found and 126 if it cannot be run. A --heartbeat that tells of the failure itself makes our alert
    needless; of a second failure in a row, or one with --to, --receiver or --severity, `run` tells as well.
    Signals that come are handed on to it. An alert that the daemon cannot take is kept in the spool; see `send`.
    """
    if not command:
        fail("name the command to run: mailalert run -- COMMAND", USAGE)
    telling = Telling(
        on=on, tail=tail, severity=severity, to=to, receivers=receivers, heartbeat=heartbeat, wait_s=wait_s
    )
    job = _job(command, name or "", shows_command=show_command)
    daemon, log = _daemon(url), OutputLog()
    if heartbeat:
        ping_start(daemon, heartbeat)
    end = run_command(command, timeout_s=timeout_s, on_chunk=log.add)
    if end.not_started:
        warn(f"cannot run {one_line(command[0])}: {end.not_started}")
    with signals_held():
        tell(daemon, job, end, log, telling)
    sys.exit(end.code)


def _job(command: tuple[str, ...], name: str, *, shows_command: bool) -> Job:
    return Job(
        name=shorten(one_line(name), MAX_NAME) or default_name(command),
        host=os.uname().nodename,
        user=user_name(),
        command=command,
        shows_command=shows_command,
    )


def tell(daemon: Daemon, job: Job, end: CommandEnd, log: OutputLog, telling: Telling) -> None:
    """Report the end. The alert lies in the spool before anything is waited for."""
    patience = Patience(telling.wait_s)
    if not telling.wants(end):
        _is_told_by_heartbeat(daemon, job, end, log, telling, patience)
        return empty_beside(daemon, os.environ)
    document = alert_of(job, end, log, tail=telling.tail, severity=telling.severity)
    addressed = {**document, "to": list(telling.to)} if telling.to else document
    spool = usable_spool(os.environ, daemon.url)
    alert = spooled_alert(addressed, daemon=daemon, receivers=telling.receivers)
    with Handover(alert, daemon=daemon, spool=spool) as handover:
        if telling.heartbeat:
            handover.settle()
        if _is_told_by_heartbeat(daemon, job, end, log, telling, patience):
            handover.needless()
            return empty_beside(daemon, os.environ)
        outcome = handover.hand_in(patience)
    if isinstance(outcome, NotTaken) and outcome.error.is_final and (telling.to or telling.receivers):
        warn(f"{outcome.error}\nmailalert: the alert goes to the daemon's own receivers")
        with Handover(spooled_alert(document, daemon=daemon), daemon=daemon, spool=spool) as handover:
            outcome = handover.hand_in(patience)
    return _say(outcome, daemon, job)


def user_name() -> str:
    """Return the name of who runs this, or the number of one without a name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _daemon(url: str) -> Daemon:
    """Nothing that is wrong with the token may keep the command from running."""
    try:
        return Daemon(url, read_token(), timeout_s=HAND_IN_S)
    except ClientError as error:
        warn(error)
        return Daemon(url, timeout_s=HAND_IN_S)


def _is_told_by_heartbeat(
    daemon: Daemon, job: Job, end: CommandEnd, log: OutputLog, telling: Telling, patience: Patience
) -> bool:
    """Ping the heartbeat, if there is one; return whether its alert says all that ours would, to all whom it would.

    A heartbeat tells of the first failure only. Who names people or a severity here means this failure as well.
    """
    if not telling.heartbeat:
        return False
    text = text_of(job, end, log, tail=telling.tail, limit_bytes=MAX_OUTPUT)
    is_raised = ping_end(daemon, telling.heartbeat, end.code, text, patience)
    return is_raised and not end.ok and not (telling.to or telling.receivers or telling.severity)


def _say(outcome: HandedIn, daemon: Daemon, job: Job) -> None:
    match outcome:
        case Kept():
            warn(in_words(outcome))
        case NotTaken():
            warn(f"the alert on {job.name} is lost: {in_words(outcome)}")
        case _:
            empty_beside(daemon, os.environ)
