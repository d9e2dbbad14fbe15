"""What people are told of a heartbeat, in plain sentences."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.alert import Alert, Status
from app.domain.attachment import Attachment
from app.domain.duration import span_text
from app.domain.heartbeat import Heartbeat, Pulse, PulseState, due_at
from app.domain.heartbeat_turns import Turn
from app.domain.text import plain, shorten

SOURCE = "heartbeat"
LABEL = "heartbeat"
OUTPUT_NAME = "output.txt"
LAST_LINES = 20  # of the output that are in the text too; the rest is in the attachment
MAX_LINE = 500  # characters; one line of JSON must not hide the others
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known at a turn from one pulse to the next. `output` is what the last ping brought along."""

    heartbeat: Heartbeat
    before: Pulse
    after: Pulse
    now: datetime
    output: bytes = field(default=b"", repr=False)


def heartbeat_alert(turn: Turn, facts: Facts) -> Alert:
    """Return the alert. Firing and resolved share key, subject and severity, so that both reach the same people."""
    heartbeat = facts.heartbeat
    recovered = turn is Turn.RECOVERED
    trouble = facts.before if recovered else facts.after
    return Alert(
        subject=f"Heartbeat {heartbeat.name} {_trouble(trouble)}",
        content="\n".join([*_lines(turn, facts), *_last_words(facts.output)]),
        severity=heartbeat.severity,
        status=Status.RESOLVED if recovered else Status.FIRING,
        source=SOURCE,
        labels={LABEL: heartbeat.name},
        key=f"{LABEL}/{heartbeat.name}",
        starts_at=trouble.down_since,
        ends_at=facts.now if recovered else None,
        attachments=_attached(facts.output),
        receivers=(heartbeat.receiver,) if heartbeat.receiver else (),
    )


def _lines(turn: Turn, facts: Facts) -> list[str]:
    match turn:
        case Turn.OVERDUE:
            return _overdue_lines(facts)
        case Turn.FAILED:
            return _failed_lines(facts)
        case Turn.RECOVERED:
            return _recovered_lines(facts)


def _trouble(pulse: Pulse) -> str:
    if pulse.state is not PulseState.FAILED:
        return "is overdue"
    return "reported failure" + ("" if pulse.exit_code is None else f", exit code {pulse.exit_code}")


def _overdue_lines(facts: Facts) -> list[str]:
    before, deaf_for = facts.before, facts.after.deaf_for
    lines = [_last_ping(before), _expected(facts.heartbeat)]
    if before.started_at is None:
        lines.append(f"So it was due at {_time(due_at(facts.heartbeat, before))}.")
    else:
        lines.append(f"It said at {_time(before.started_at)} that it starts, and not since then that it has ended.")
    if deaf_for >= SECOND:
        lines.append(
            f"For {span_text(deaf_for)} of the time since then this daemon could not hear it: it did not run, the "
            "machine slept, or its clock jumped. That time was not counted, but a ping may have come to nothing in it."
        )
    return lines


def _failed_lines(facts: Facts) -> list[str]:
    before = facts.before
    lines = [f"{facts.heartbeat.name} itself said at {_time(facts.now)} that it failed.", *_exit_and_run(facts.after)]
    if before.state is PulseState.OVERDUE and before.down_since is not None:
        lines.append(f"It had been overdue since {_time(before.down_since)}.")
    return [*lines, "Further failures are not told before it succeeds again."]


def _recovered_lines(facts: Facts) -> list[str]:
    before = facts.before
    down_for = facts.now - (before.down_since or facts.now)
    lines = [f"{facts.heartbeat.name} has given a sign of life again. It was down for {span_text(down_for)}."]
    if before.failures > 1:
        lines.append(f"Meanwhile it reported {before.failures} failures.")
    return [*lines, *_exit_and_run(facts.after)]


def _exit_and_run(pulse: Pulse) -> list[str]:
    lines = [] if pulse.exit_code is None else [f"Its exit code was {pulse.exit_code}."]
    if pulse.ran_for is not None:
        lines.append(f"It ran for {span_text(pulse.ran_for)}.")
    return lines


def _last_ping(pulse: Pulse) -> str:
    if pulse.last_ping_at is None:
        return f"No ping has ever come; it is watched since {_time(pulse.since)}."
    return f"The last ping came at {_time(pulse.last_ping_at)}."


def _expected(heartbeat: Heartbeat) -> str:
    return f"One is expected {heartbeat.schedule}, and may be {span_text(heartbeat.grace)} late."


def _last_words(output: bytes) -> list[str]:
    """Return the last lines of the output, as far as they are text."""
    lines = plain(output.decode(errors="replace")).rstrip().split("\n")[-LAST_LINES:]
    return ["", "The last that it said:", "", *(shorten(line, MAX_LINE) for line in lines)] if output.strip() else []


def _attached(output: bytes) -> tuple[Attachment, ...]:
    if not output:
        return ()
    return (Attachment(name=OUTPUT_NAME, content_type="text/plain", size_bytes=len(output), data=output),)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
