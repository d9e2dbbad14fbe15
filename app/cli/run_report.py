"""How the end of a command reads as an alert. Pure."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePath
from shlex import join
from typing import Any

from app.cli.attaching import attachment
from app.cli.child import CommandEnd
from app.cli.native import MAX_SUBJECT
from app.cli.output_log import OutputLog
from app.domain.duration import span_text
from app.domain.text import one_line, shorten

MAX_TEXT = 128 << 10  # bytes of the text of a mail; all of the output is in the attached log
MAX_NAME = 100  # characters of a job's name, so that the host still fits into a subject that people read
MAX_COMMAND = 4_000  # characters of a command line that is shown
LOG_NAME = "output.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What runs, where, and as whom. `shows_command`: its arguments, too, go into the mail."""

    name: str
    host: str
    user: str
    command: Sequence[str]
    shows_command: bool = False

    @property
    def key(self) -> str:
        """What failure and success of the same job share."""
        return f"run/{self.host}/{self.name}"


def default_name(command: Sequence[str]) -> str:
    """Return the base name of the program."""
    return shorten(one_line(PurePath(command[0]).name), MAX_NAME) or "command"


def subject_of(job: Job, end: CommandEnd) -> str:
    """Return the subject: what happened, and where."""
    return shorten(f"{job.name} {_what_happened(end)} on {job.host}", MAX_SUBJECT)


def text_of(job: Job, end: CommandEnd, log: OutputLog, *, tail: int, limit_bytes: int = MAX_TEXT) -> str:
    """Return the facts, a line each, and the last lines of the output, all in `limit_bytes` (50,000 or more) of UTF-8.

    Of too many lines the middle is cut, for the end matters.
    """
    facts = [("Command", _command(job)), ("Result", _what_happened(end))]
    if end.signal and end.timed_out_after_s is not None:
        facts.append(("Signal", _signal_name(end.signal)))
    facts += [
        ("Exit code", str(end.code)),
        ("Started", end.started_at.strftime("%Y-%m-%d %H:%M:%S UTC")),
        ("Duration", span_text(timedelta(seconds=end.seconds))),
        ("Host", job.host),
        ("User", job.user),
    ]
    lines = "\n".join(f"{name + ':':<11}{value}" for name, value in facts)
    if not log.size_bytes:
        return f"{lines}\n\nIt wrote nothing."
    above = f"{lines}\n\nThe last lines of what it wrote ({log.size_bytes} bytes in all):\n\n"
    last = log.last_lines(tail, limit_bytes=limit_bytes - len(above.encode(errors="backslashreplace")))
    return above + last if last else lines


def alert_of(job: Job, end: CommandEnd, log: OutputLog, *, tail: int, severity: str | None) -> dict[str, Any]:
    """Return the native alert: firing when the command failed, resolved when it did not."""
    ended_at = (end.started_at + timedelta(seconds=end.seconds)).isoformat()
    alert: dict[str, Any] = {
        "subject": subject_of(job, end),
        "content": text_of(job, end, log, tail=tail),
        "severity": "info" if end.ok else severity or "error",
        "status": "resolved" if end.ok else "firing",
        "source": f"{job.user}@{job.host}",
        "key": job.key,
        "labels": {"host": job.host, "job": job.name},
        "ends_at" if end.ok else "starts_at": ended_at,
    }
    if log.size_bytes:
        alert["attachments"] = [attachment(LOG_NAME, log.whole(), content_type="text/plain")]
    return alert


def _what_happened(end: CommandEnd) -> str:
    if end.not_started:
        return f"could not be started ({end.not_started})"
    if end.timed_out_after_s is not None:
        return f"timed out after {span_text(timedelta(seconds=end.timed_out_after_s))}"
    if end.signal:
        return f"was killed by {_signal_name(end.signal)}"
    return "succeeded" if end.ok else f"failed with exit code {end.code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # those for real-time use have no names
        return f"signal {number}"


def _command(job: Job) -> str:
    """Arguments may hold passwords, and mails are kept for years: they are shown only if that was asked for."""
    if job.shows_command:
        return shorten(one_line(join(job.command)), MAX_COMMAND)
    count = len(job.command) - 1
    program = one_line(PurePath(job.command[0]).name)
    if not count:
        return program
    return f"{program} with {count} argument{'s' if count > 1 else ''} (--show-command shows them)"
