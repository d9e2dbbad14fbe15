"""How the end of a command reads: subject, facts and last lines."""

from dataclasses import replace
from datetime import timedelta

import pytest
from click import BadParameter

from app.cli.child import CommandEnd
from app.cli.duration import DurationType
from app.cli.native import MAX_CONTENT, MAX_SUBJECT
from app.cli.options import SEVERITIES, STATUSES
from app.cli.output_log import OutputLog
from app.cli.run_report import Job, alert_of, default_name, subject_of, text_of
from app.cli.token import SCOPES
from app.domain.access import Scope
from app.domain.alert import Severity, Status
from app.domain.ping import MAX_OUTPUT
from app.intake import schema
from tests.support.clock import NOW

JOB = Job(name="backup", host="db1", user="root", command=["/opt/backup.sh", "--password", "canary"])
FAILED = CommandEnd(code=23, started_at=NOW, seconds=75.4)
TIMED_OUT = replace(FAILED, code=124, signal=9, timed_out_after_s=600)
OK = replace(FAILED, code=0)


@pytest.mark.parametrize(
    ("end", "subject"),
    [
        (FAILED, "backup failed with exit code 23 on db1"),
        (replace(FAILED, code=137, signal=9), "backup was killed by SIGKILL on db1"),
        (replace(FAILED, code=163, signal=35), "backup was killed by signal 35 on db1"),
        (TIMED_OUT, "backup timed out after 10m on db1"),
        (replace(FAILED, code=127, not_started="No such file"), "backup could not be started (No such file) on db1"),
        (OK, "backup succeeded on db1"),
    ],
    ids=["exit code", "signal", "nameless signal", "time", "not started", "success"],
)
def test_the_subject_says_what_happened_and_where(end: CommandEnd, subject: str) -> None:
    """People read it on a phone at night."""
    assert subject_of(JOB, end) == subject


def test_the_text_tells_the_facts() -> None:
    """Result, code, start, duration, host and user, then the last lines; no arguments."""
    log = OutputLog()
    log.add(b"one\ntwo\n")
    assert text_of(JOB, TIMED_OUT, log, tail=1) == (
        "Command:   backup.sh with 2 arguments (--show-command shows them)\n"
        "Result:    timed out after 10m\n"
        "Signal:    SIGKILL\n"
        "Exit code: 124\n"
        "Started:   2026-03-04 05:06:07 UTC\n"
        "Duration:  1m 15s\n"
        "Host:      db1\n"
        "User:      root\n"
        "\n"
        "The last lines of what it wrote (8 bytes in all):\n"
        "\n"
        "two"
    )


def test_a_bounded_text_keeps_the_end() -> None:
    """The error stands in the last line; the facts stay, too."""
    log = OutputLog()
    log.add(b"\xe2\x82\xac" * 100_000 + b"\nFATAL: disk full\n")
    text = text_of(JOB, FAILED, log, tail=200, limit_bytes=MAX_OUTPUT)
    assert MAX_OUTPUT - 10 < len(text.encode()) <= MAX_OUTPUT
    assert "Exit code: 23\n" in text
    assert text.endswith("\nFATAL: disk full")


def test_silence_is_told() -> None:
    """No output is a fact, too."""
    assert text_of(JOB, FAILED, OutputLog(), tail=5).endswith("It wrote nothing.")


def test_failure_and_success_are_one_trouble() -> None:
    """The same key and labels; the times are those of the end."""
    firing, resolved = (alert_of(JOB, end, OutputLog(), tail=5, severity="critical") for end in (FAILED, OK))
    ended_at = (NOW + timedelta(seconds=75.4)).isoformat()
    assert (firing["key"], firing["labels"]) == (resolved["key"], resolved["labels"])
    assert (firing["status"], firing["severity"], firing["starts_at"]) == ("firing", "critical", ended_at)
    assert (resolved["status"], resolved["severity"], resolved["ends_at"]) == ("resolved", "info", ended_at)
    assert "attachments" not in firing


@pytest.mark.parametrize(
    ("command", "name"), [("/usr/bin/rsync", "rsync"), ("/", "command"), ("a\nb", "a b"), ("\udcff", "\ufffd")]
)
def test_a_job_is_called_like_its_program(command: str, name: str) -> None:
    """One line that every header takes."""
    assert default_name([command]) == name


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("0.5s", 0.5), ("10m", 600), ("2 h", 7200), ("1d", 86_400), ("1.5h", 5400)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    """As timeout(1) takes them."""
    assert DurationType().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "1w", "m", "1m30s", "inf"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Before the command runs."""
    with pytest.raises(BadParameter, match="is no duration"):
        DurationType().convert(text, None, None)


def test_the_choices_are_those_of_the_daemon() -> None:
    """They are written down twice, for the import of the daemon's takes too long."""
    assert (tuple(Severity), tuple(Status), tuple(Scope)) == (SEVERITIES, STATUSES, SCOPES)


def test_the_limits_are_those_of_the_daemon() -> None:
    """Written down twice for the same reason."""
    assert (schema.MAX_SUBJECT, schema.MAX_CONTENT) == (MAX_SUBJECT, MAX_CONTENT)
