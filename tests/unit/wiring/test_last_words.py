"""What is said when the journal does not let the daemon start."""

import json
import shlex
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.errors import ConfigurationError, JournalCorrupt, JournalFailed, JournalUnavailable, MailAlertError
from app.settings.load import load_settings
from app.settings.model import Settings
from app.wiring.last_words import STAMP_FILE, last_words
from tests.support.clock import NOW, FakeClock

APPEND = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + chr(10))"
ADDRESSES = {"MAILALERT_MAIL_FROM": "a@example.org", "MAILALERT_MAIL_TO": "b@example.org"}
FULL = JournalUnavailable("the disk is full")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a command for alarms, which writes each into the file that `told` reads."""
    command = [sys.executable, "-c", APPEND, str(tmp_path / "told")]
    environ = ADDRESSES | {
        "MAILALERT_DATA_DIR": str(tmp_path),
        "MAILALERT_RELAY": "smtp://127.0.0.1:1",
        "MAILALERT_ALARM__COMMAND": shlex.join(command),
    }
    return load_settings(config=None, sandbox=False, environ=environ)


def told(settings: Settings) -> list[str]:
    """Return the faults that alarms were about."""
    path = settings.data_dir / "told"
    return [json.loads(line)["facts"]["fault"] for line in path.read_text().splitlines()] if path.exists() else []


def end_by(error: MailAlertError | None, settings: Settings, clock: FakeClock) -> None:
    """Let a start end by the error, which must come out as it is."""
    if error is None:
        with last_words(settings, clock):
            return
    with pytest.raises(type(error)) as raised, last_words(settings, clock):
        raise error
    assert raised.value is error


@pytest.mark.parametrize(
    "error", [FULL, JournalFailed("EIO"), JournalCorrupt("malformed")], ids=["full", "failing", "damaged"]
)
def test_a_journal_that_does_not_open_is_told(settings: Settings, error: MailAlertError) -> None:
    """Nobody else would tell: no mail can leave, and a service manager only tries again."""
    end_by(error, settings, FakeClock())
    assert told(settings) == [str(error)]


@pytest.mark.parametrize("error", [None, ConfigurationError("no sender")], ids=["none", "a setting"])
def test_other_ends_are_not_told(settings: Settings, error: MailAlertError | None) -> None:
    """Whoever has just changed a setting sees what is wrong with it."""
    end_by(error, settings, FakeClock())
    assert told(settings) == []


def test_a_restart_loop_tells_once_an_hour(settings: Settings) -> None:
    """Systemd tries again every two seconds."""
    clock = FakeClock()
    for seconds in (0, 2, 3500, 100):
        clock.pass_time(timedelta(seconds=seconds))
        end_by(FULL, settings, clock)
    assert len(told(settings)) == 2


def test_a_clock_that_went_back_silences_nothing(settings: Settings) -> None:
    """What was said in the future was said long enough ago."""
    for days_back in (0, 1):
        end_by(FULL, settings, FakeClock(at=NOW - timedelta(days=days_back)))
    assert len(told(settings)) == 2


def test_without_its_stamp_it_is_told_each_time(settings: Settings) -> None:
    """Too often is better than never."""
    (settings.data_dir / STAMP_FILE).symlink_to(settings.data_dir / "nowhere" / STAMP_FILE)
    for _ in range(2):
        end_by(FULL, settings, FakeClock())
    assert len(told(settings)) == 2
