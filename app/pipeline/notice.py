"""The startup notice: an ordinary alert that says the daemon runs, and how the last run ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.alert import Alert, Severity
from app.domain.runs import PreviousRuns

SOURCE = "mail-alert-system"
# A daemon that crashes and is restarted again and again must not flood anybody.
QUIET_AFTER_UNCLEAN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFacts:
    """What the notice tells. `recovered` counts the mails that an earlier run left unsent.

    `possibly_twice` are those among them that it ended in the midst of: the relay may have them already.
    """

    version: str
    host: str
    at: datetime
    recovered: int
    possibly_twice: int
    before: PreviousRuns


def should_notify(before: PreviousRuns, at: datetime) -> bool:
    """Tell whether this start is announced: always after a clean end, else at most once in 10 minutes."""
    if before.ended_cleanly or before.last_notice_at is None:
        return True
    since = at - before.last_notice_at
    return since >= QUIET_AFTER_UNCLEAN or since < timedelta()  # a clock that was set back must not silence it


def startup_notice(facts: StartFacts) -> Alert:
    """Return the notice of this start."""
    lines = [
        "You have started Mail Alert System.",
        "",
        f"Version: {facts.version}",
        f"Host: {facts.host}",
        f"Time: {facts.at:%Y-%m-%d %H:%M:%S} UTC",
        _recovered(facts.recovered),
        _last_end(facts.before),
    ]
    if facts.possibly_twice:
        lines.append(f"Possibly sent twice: {facts.possibly_twice}, which were under way when the last run ended.")
    if facts.before.unannounced:
        lines.append(f"Starts since the last notice, not announced: {facts.before.unannounced}")
    return Alert(subject="Mail Alert System started", content="\n".join(lines), severity=Severity.INFO, source=SOURCE)


def _recovered(count: int) -> str:
    if not count:
        return "Recovered from the journal: nothing, no mail was waiting."
    return f"Recovered from the journal: {count} unsent mail{'s' if count > 1 else ''}, being sent now."


def _last_end(before: PreviousRuns) -> str:
    if not before.any:
        return "Last run: none, the journal is new."
    if before.ended_cleanly:
        return "Last run: ended cleanly."
    return "Last run: did not end cleanly (killed, crashed, or the power failed); nothing accepted was lost."
