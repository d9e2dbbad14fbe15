"""`mailalert run`: run a command, and tell when it fails."""

import os
import pwd
import sys
from dataclasses import dataclass

import click

from app.cli.child import CommandEnd, run_command
from app.cli.client import ClientError, Daemon, read_token
from app.cli.duration import DurationType
from app.cli.emptying import empty_beside
from app.cli.ending import REFUSED, USAGE, fail, warn
from app.cli.handing_in import Handover, Kept, NotTaken, in_words
from app.cli.native import spooled_alert
from app.cli.options import SEVERITIES, receiver_option, to_option, url_option, wait_option
from app.cli.output_log import OutputLog
from app.cli.patience import Patience, signals_held
from app.cli.pinging import ping_end, ping_start
from app.cli.run_report import MAX_NAME, Job, alert_of, default_name, text_of
from app.cli.spool import usable_spool
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
    (SIGTERM, and 10 s later SIGKILL, to all that it started), 127 if it is not found and 126 if it cannot be run.
    Signals that come are handed on to it. An alert that the daemon cannot take is kept in the spool; see `send`.
    """
    if not command:
        fail("name the command to run: mailalert run -- COMMAND", USAGE)
    telling = Telling(
        on=on, tail=tail, severity=severity, to=to, receivers=receivers, heartbeat=heartbeat, wait_s=wait_s
    )
    job = Job(
        name=shorten(one_line(name or ""), MAX_NAME) or default_name(command),
        host=os.uname().nodename,
        user=user_name(),
        command=command,
        shows_command=show_command,
    )
    daemon, log = _daemon(url), OutputLog()
    if heartbeat:
        ping_start(daemon, heartbeat)
    end = run_command(command, timeout_s=timeout_s, on_chunk=log.add)
    if end.not_started:
        warn(f"cannot run {one_line(command[0])}: {end.not_started}")
    with signals_held():
        tell(daemon, job, end, log, telling)
    sys.exit(end.code)


def tell(daemon: Daemon, job: Job, end: CommandEnd, log: OutputLog, telling: Telling) -> None:
    """Report the end. A failure that a heartbeat has taken is told by the heartbeat, once."""
    is_told = False
    if telling.heartbeat:
        text = text_of(job, end, log, tail=telling.tail)
        is_told = ping_end(daemon, telling.heartbeat, end.code, text, Patience(telling.wait_s)) and not end.ok
    if telling.wants(end) and not is_told:
        _hand_in(daemon, job, end, log, telling)
    else:
        empty_beside(daemon, os.environ)


def user_name() -> str:
    """Return the name of who runs this, or the number of one without a name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _daemon(url: str) -> Daemon:
    """Nothing that is wrong with the token may keep the command from running."""
    try:
        return Daemon(url, read_token())
    except ClientError as error:
        warn(error)
        return Daemon(url)


def _hand_in(daemon: Daemon, job: Job, end: CommandEnd, log: OutputLog, telling: Telling) -> None:
    document = alert_of(job, end, log, tail=telling.tail, severity=telling.severity)
    handover = Handover(daemon, usable_spool(os.environ, daemon.url), Patience(telling.wait_s))
    addressed = {**document, "to": list(telling.to)} if telling.to else document
    outcome = handover.hand_in(spooled_alert(addressed, daemon=daemon, receivers=telling.receivers))
    if isinstance(outcome, NotTaken) and outcome.error.code == REFUSED and (telling.to or telling.receivers):
        warn(f"{outcome.error}\nmailalert: the alert goes to the daemon's own receivers")
        outcome = handover.hand_in(spooled_alert(document, daemon=daemon))
    match outcome:
        case Kept():
            warn(in_words(outcome))
        case NotTaken():
            warn(f"the alert on {job.name} is lost: {in_words(outcome)}")
        case _:
            empty_beside(daemon, os.environ)
