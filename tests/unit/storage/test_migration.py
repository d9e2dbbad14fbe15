"""A journal that an earlier version wrote: it goes on where it was."""

import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from app.domain.alert import Severity
from app.domain.bounce import BouncedRecipient, BounceKind, BounceReport
from app.domain.envelope import Delivery
from app.domain.mail_read import MailboxName, MailRead
from app.storage.codec import encode_letterhead, to_ms
from app.storage.database import JOURNAL_FILE, Mode, open_writer
from app.storage.journal import SqliteJournal
from tests.support.clock import NOW
from tests.support.factories import LETTERHEAD, SENT, due_query, judged

ENVELOPE = 9
INDEXES = "SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'index') ORDER BY name"


@pytest.fixture
def version_1(tmp_path: Path) -> Path:
    """A directory with a journal of version 1, in which one mail waits and another failed."""
    script = files("app.storage").joinpath("schema", "0001.sql").read_text(encoding="utf-8")
    now = to_ms(NOW)
    with closing(sqlite3.connect(tmp_path / JOURNAL_FILE)) as connection:
        connection.executescript(script)
        connection.execute(
            "INSERT INTO meta (name, value) VALUES"
            " ('mode', 'live'), ('mac_key', x'00'), ('open', 1), ('usable_seconds', 4711), ('probe', x'')"
        )
        connection.execute("INSERT INTO letterheads (body) VALUES (?)", (encode_letterhead(LETTERHEAD),))
        connection.execute('INSERT INTO alerts VALUES (8, ?, \'{"s":"disk full","v":"error"}\')', (now,))
        connection.execute("INSERT INTO envelopes VALUES (9, 8, 1, ?, 2, 7, ?, 0, 0, NULL)", (now, now))
        connection.execute("INSERT INTO envelopes VALUES (10, 8, 1, ?, 2, 7, ?, 3, 0, ?)", (now, now, now))
        connection.execute("INSERT INTO deliveries VALUES (10, 0, 'refused', 1, ?, 'mx1', '550 no', 'no', 0)", (now,))
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    return tmp_path


async def test_its_mails_are_sent_under_the_letterhead_that_they_have(version_1: Path) -> None:
    """Nothing waits, is counted or is stored twice because of the upgrade."""
    journal = SqliteJournal(version_1, mode=Mode.LIVE, backlog_limit=100)
    (mail,) = await journal.due(due_query())
    assert (mail.envelope.id, mail.envelope.running_seconds, mail.envelope.without_attachments) == (ENVELOPE, 0, False)
    assert mail.deliveries == (Delivery(0), Delivery(1))
    assert await journal.keep(LETTERHEAD) == 1
    assert (journal.open_count, journal.usable_seconds) == (1, 4711)
    assert await journal.oldest_waiting(Severity.INFO, unacknowledged_at=NOW) == 0
    await journal.close()


async def test_it_knows_nothing_of_leases_and_clocks(version_1: Path) -> None:
    """The first start after the upgrade flags no mail."""
    journal = SqliteJournal(version_1, mode=Mode.LIVE, backlog_limit=100)
    assert (journal.interrupted, journal.running_seconds, journal.kept_at) == (0, 0, None)
    await journal.close()


async def test_its_failed_mails_are_dead_letters(version_1: Path) -> None:
    """What failed before the upgrade can be sent again after it."""
    journal = SqliteJournal(version_1, mode=Mode.LIVE, backlog_limit=100)
    page = await journal.dead_letters(before=None, limit=10)
    assert [letter.envelope_id for letter in page.letters] == [10]
    await journal.close()


@pytest.fixture
def version_3(version_1: Path) -> Path:
    """The same journal after an upgrade to version 3, in which half of the one mail was sent."""
    now = to_ms(NOW)
    with closing(sqlite3.connect(version_1 / JOURNAL_FILE)) as connection:
        for version in (2, 3):
            script = files("app.storage").joinpath("schema", f"{version:04}.sql")
            connection.executescript(script.read_text(encoding="utf-8"))
        connection.execute("INSERT INTO deliveries VALUES (9, 0, 'sent', 1, ?, 'mx1', '250 ok', '', 0)", (now,))
        connection.execute("PRAGMA user_version = 3")
        connection.commit()
    return version_1


async def test_outcomes_of_version_3_are_those_of_the_relay(version_3: Path) -> None:
    """No server behind it has said anything, and nobody has acknowledged anything."""
    journal = SqliteJournal(version_3, mode=Mode.LIVE, backlog_limit=100)
    report = await journal.find(8)
    assert report is not None
    assert [delivery.remote for mail in report.envelopes for delivery in mail.deliveries] == [""] * 4
    assert report.acknowledgements == ()
    assert await journal.acknowledged(NOW) == {}
    assert await journal.mailbox.set_aside() == []
    await journal.close()


async def test_a_mail_of_version_3_can_come_back(version_3: Path) -> None:
    """While it is still open for another recipient, and after that."""
    journal = SqliteJournal(version_3, mode=Mode.LIVE, backlog_limit=100)
    told = BouncedRecipient(kind=BounceKind.FAILED, address=LETTERHEAD.recipients[0].address, status="5.1.1")
    (held,) = await journal.due(due_query())
    read = MailRead(mailbox=MailboxName("box"), uid="1", at=NOW, what="bounce")
    await journal.mailbox.take_bounce(
        BounceReport(envelope_id=ENVELOPE, recipients=(told,)), read, set_aside_after=1, is_final=False
    )
    await journal.record(judged(held, [SENT]))
    page = await journal.dead_letters(before=None, limit=10)
    assert [letter.envelope_id for letter in page.letters] == [10, ENVELOPE]
    assert [entry.address for entry in await journal.mailbox.set_aside()] == [LETTERHEAD.recipients[0].address]
    await journal.close()


async def test_the_mailbox_is_polled_for_the_first_time_after_version_3(version_3: Path) -> None:
    """What is there then is left alone."""
    journal = SqliteJournal(version_3, mode=Mode.LIVE, backlog_limit=100)
    assert not await journal.mailbox.was_polled("box")
    await journal.close()


def test_it_has_the_schema_of_a_new_journal(version_1: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No index is missing after an upgrade."""
    schemas = []
    for directory in (version_1, tmp_path_factory.mktemp("new")):
        with closing(open_writer(directory, Mode.LIVE)) as connection:
            schemas.append(connection.execute(INDEXES).fetchall())
    assert schemas[0] == schemas[1]
