"""The ledger itself: it balances for a sound run, and for no other."""

from dataclasses import replace

import pytest

from tests.support.ledger import Balance, Copy, Fate, Line, close_ledger

ALERTS = ["A1", "A2", "A3", "A4", "A5"]
JOURNAL = [
    Line("A1", "E1", "ops@x", Fate.SENT),
    Line("A1", "E1", "boss@x", Fate.SENT, possibly_twice=True),
    Line("A2", "E2", "ops@x", Fate.DEAD),
    Line("A3", "E3", "ops@x", Fate.QUEUED),
    Line("A4", "E4", "ops@x", Fate.QUARANTINED),
    Line("A5", "E5", "ops@x", Fate.DROPPED),
    Line("A6", "E6", "ops@x", Fate.SENT),  # committed, but the daemon died before its 202
]
STORED = [
    Copy("E1", "ops@x", "<E1@x>", b"1"),
    Copy("E1", "boss@x", "<E1@x>", b"1"),
    Copy("E1", "boss@x", "<E1@x>", b"1"),
    Copy("E6", "ops@x", "<E6@x>", b"6"),
]


def _fails(*, accepted: list[str] = ALERTS, stored: list[Copy] = STORED, journal: list[Line] = JOURNAL) -> str:
    with pytest.raises(AssertionError, match="does not balance") as caught:
        close_ledger(accepted=accepted, stored=stored, journal=journal)
    return str(caught.value)


def test_a_sound_run_balances() -> None:
    """Every accepted alert is counted once for each recipient, and a flagged duplicate is no fault."""
    balance = close_ledger(accepted=ALERTS, stored=STORED, journal=JOURNAL)
    assert balance == Balance(
        accepted=6, delivered=2, dead=1, queued=1, quarantined=1, dropped=1, flagged=1, unanswered=1
    )


def test_one_mail_taken_away() -> None:
    """A mail that the journal calls sent and that no server stored is found, with its recipient."""
    assert "alert A1 to ops@x is sent: no server stored it" in _fails(stored=STORED[1:])


def test_a_phantom_sent() -> None:
    """A queued mail that the journal calls sent is found."""
    journal = [replace(line, fate=Fate.SENT) if line.alert == "A3" else line for line in JOURNAL]
    assert "alert A3 to ops@x is sent: no server stored it" in _fails(journal=journal)


def test_a_duplicate_without_a_flag() -> None:
    """A mail that a server stored twice and that nobody flagged is found."""
    assert "alert A1 to ops@x is sent: it was stored 2 times" in _fails(stored=[*STORED, STORED[0]])


def test_a_refused_mail_that_arrived() -> None:
    """A dead letter that a server stored all the same is found."""
    assert "is dead letter: a server stored it 1 times" in _fails(stored=[*STORED, Copy("E2", "ops@x", "<E2@x>", b"2")])


def test_an_alert_that_the_journal_lost() -> None:
    """An alert that was answered 202 and is in no journal is found, whatever a server stored."""
    assert "alert A2 was answered 202" in _fails(journal=[line for line in JOURNAL if line.alert != "A2"])


def test_a_mail_that_nobody_sent() -> None:
    """A mail at a server that is for nobody in the journal is found."""
    assert "E1 for stranger@x" in _fails(stored=[*STORED, Copy("E1", "stranger@x", "<E1@x>", b"1")])


def test_copies_that_differ() -> None:
    """Two copies under one Message-ID with different contents are found."""
    assert "2 different contents" in _fails(stored=[*STORED[:3], replace(STORED[2], content=b"2"), *STORED[3:]])


def test_an_id_given_twice() -> None:
    """Two posts that were answered with one id are found."""
    assert "two alerts were answered 202 as A1" in _fails(accepted=[*ALERTS, "A1"])
