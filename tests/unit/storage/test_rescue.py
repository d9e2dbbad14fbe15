"""The rescue of a damaged journal: one bad page costs what stands in it, and nothing else."""

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.domain.address import Mailbox
from app.domain.errors import ConfigurationError, JournalCorrupt, JournalUnavailable
from app.storage import rescue
from app.storage.database import JOURNAL_FILE, Mode, open_writer
from app.storage.journal import SqliteJournal
from app.storage.pages import PAGE_BYTES
from app.storage.replacement import finish_replacement
from app.storage.rescue import RescueReport, rescue_journal
from tests.support.clock import NOW
from tests.support.factories import AMBIGUOUS, LETTERHEAD, REFUSED, SENT, an_attachment, due_query, verdict_on
from tests.support.sqlite_desk import SqliteDesk

OPEN = "SELECT id FROM envelopes WHERE state = 0"
DEAD = "SELECT id FROM envelopes WHERE state IN (2, 3)"
PAGES = "SELECT pageno, name, pagetype FROM dbstat"
ROWS_ON = {"alerts", "envelopes"}  # tables whose leaves hold what a mail cannot be sent without


@dataclass(frozen=True, slots=True)
class Damaged:
    """A journal whose daemon has ended, before anything happened to it, and what is in it."""

    folder: Path
    open: set[int]
    dead: set[int]
    mac_key: bytes
    pages: dict[int, tuple[str, str]]

    def copy(self, folder: Path) -> Path:
        """Return a copy of it to damage."""
        folder.mkdir()
        for file in self.folder.iterdir():
            shutil.copy(file, folder)
        return folder

    def pages_of(self, name: str, kind: str) -> list[int]:
        """Return the pages of a table or index that are a "leaf", "internal" or "overflow"."""
        return [number for number, page in self.pages.items() if page == (name, kind)]


async def fill(folder: Path) -> bytes:
    """Make a journal with hundreds of mails: half of them sent, some dead, some under way, some with files."""
    journal = SqliteJournal(folder, mode=Mode.LIVE, backlog_limit=10_000)
    desk = SqliteDesk(journal, letterhead_id=await journal.keep(LETTERHEAD))
    batch = await desk.post(200, content="x" * 300)
    await desk.post(4, content="y" * 9000)
    await desk.post(3, attachments=(an_attachment(bytes(20_000)),))
    for number, envelope in enumerate(batch.envelopes):
        outcome = {1: REFUSED, 2: AMBIGUOUS}.get(number % 10, SENT)
        if number % 2 or outcome is AMBIGUOUS:
            await journal.record(verdict_on(envelope.id, outcome))
    await journal.close()
    return journal.mac_key


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    """The journal that each test damages a copy of."""
    folder = tmp_path_factory.mktemp("whole")
    mac_key = asyncio.run(fill(folder))
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection:
        pages = {number: (name, kind) for number, name, kind in connection.execute(PAGES)}
        return Damaged(folder, numbers(connection, OPEN), numbers(connection, DEAD), mac_key, pages)


def numbers(connection: sqlite3.Connection, query: str) -> set[int]:
    return {row[0] for row in connection.execute(query)}


def overwrite(folder: Path, page: int, data: bytes = b"") -> None:
    """Put `data`, or else rubbish, in the place of a page."""
    with (folder / JOURNAL_FILE).open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES)
        file.write(data or random.Random(page).randbytes(PAGE_BYTES))


def rescued(folder: Path, mode: Mode = Mode.LIVE) -> RescueReport:
    return rescue_journal(folder, mode, NOW, letterhead=LETTERHEAD)


def found(folder: Path) -> tuple[set[int], set[int]]:
    """Return the open and the dead envelopes of the new journal, which must be well."""
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return numbers(connection, OPEN), numbers(connection, DEAD)


@pytest.mark.parametrize("rubbish", [b"", bytes(PAGE_BYTES)], ids=["noise", "zeros"])
def test_every_single_page(whole: Damaged, tmp_path: Path, rubbish: bytes) -> None:
    """Whatever page is damaged, only mails with a row in that page are lost, each in one case, and all are counted."""
    lost: dict[tuple[str, str], list[int]] = {}
    for number, kind in whole.pages.items():
        folder = whole.copy(tmp_path / str(number))
        overwrite(folder, number, rubbish)
        report = rescued(folder)
        open_mails, dead_mails = found(folder)
        assert open_mails <= whole.open
        assert dead_mails <= whole.dead
        assert report.lost in {len(whole.open - open_mails), None}
        assert (report.lost is None) == (kind[0] == "meta")
        lost.setdefault(kind, []).extend((whole.open - open_mails) | (whole.dead - dead_mails))
        shutil.rmtree(folder)
    for (name, kind), mails in lost.items():
        if name in ROWS_ON and kind == "leaf":
            assert sorted(mails) == sorted(whole.open | whole.dead)
        elif (name, kind) != ("alerts", "overflow"):
            assert mails == [], (name, kind)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sqlite_schema", "leaf"), ("alerts", "internal"), ("envelopes", "internal"), ("envelopes_open", "internal")],
    ids=["header", "root of the alerts", "root of the envelopes", "root of an index"],
)
async def test_what_is_left_is_sent(whole: Damaged, tmp_path: Path, name: str, kind: str) -> None:
    """A journal whose first page or a root is rubbish opens again with every mail, due as it was, and the same key."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, whole.pages_of(name, kind)[0])
    report = rescued(folder)
    assert (report.copied, report.dead_letters, report.lost) == (len(whole.open), len(whole.dead), 0)
    journal = SqliteJournal(folder, mode=Mode.LIVE, backlog_limit=10_000)
    mails = await journal.due(due_query(until=NOW.replace(year=NOW.year + 1), count=10_000))
    assert {mail.envelope.id for mail in mails} == whole.open
    assert (journal.mac_key, journal.open_count) == (whole.mac_key, len(whole.open))
    await journal.close()


def test_several_pages_at_once(whole: Damaged, tmp_path: Path) -> None:
    """With a tenth of the file gone the rescue still ends, and what it copies was there."""
    folder = whole.copy(tmp_path / "journal")
    for page in random.Random(1).sample(sorted(whole.pages), len(whole.pages) // 10):
        overwrite(folder, page)
    report = rescued(folder)
    open_mails, dead_mails = found(folder)
    assert open_mails <= whole.open
    assert dead_mails <= whole.dead
    assert len(open_mails) == report.copied > len(whole.open) // 2


@pytest.mark.parametrize("length", [0, 1, 100, PAGE_BYTES, 20 * PAGE_BYTES + 7])
def test_a_file_that_was_cut(whole: Damaged, tmp_path: Path, length: int) -> None:
    """What stands before the cut is copied."""
    folder = whole.copy(tmp_path / "journal")
    with (folder / JOURNAL_FILE).open("r+b") as file:
        file.truncate(length)
    report = rescued(folder)
    assert report.copied == len(found(folder)[0])


def test_the_old_file_is_kept(whole: Damaged, tmp_path: Path) -> None:
    """It stands beside the new one, byte for byte, under a name that tells when."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, 5)
    before = (folder / JOURNAL_FILE).read_bytes()
    report = rescued(folder)
    assert report.old_file == folder / f"journal-damaged-{NOW:%Y%m%dT%H%M%SZ}.sqlite3"
    assert report.old_file.read_bytes() == before


def test_commits_that_are_only_in_the_log_are_copied(whole: Damaged, tmp_path: Path) -> None:
    """What a crash left in the write-ahead log counts, and the log goes with the old file."""
    folder = whole.copy(tmp_path / "journal")
    crashed = tmp_path / "crashed"
    with closing(open_writer(folder, Mode.LIVE)) as writer:
        writer.execute("UPDATE envelopes SET state = 1 WHERE id = ?", (min(whole.open),))
        writer.execute("UPDATE meta SET value = value - 1 WHERE name = 'open'")
        shutil.copytree(folder, crashed)  # as a crash leaves it: a close would empty the log
    overwrite(crashed, whole.pages_of("envelopes_open", "leaf")[0])
    report = rescued(crashed)
    assert (found(crashed)[0], report.lost) == (whole.open - {min(whole.open)}, 0)
    assert report.old_file.with_name(f"{report.old_file.name}-wal").exists()
    assert not (crashed / f"{JOURNAL_FILE}-wal").exists()


def test_a_lost_letterhead_is_replaced(whole: Damaged, tmp_path: Path) -> None:
    """The mails that were made under it leave under today's."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, whole.pages_of("letterheads", "leaf")[0])
    today = replace(LETTERHEAD, recipients=(Mailbox("night@example.org"),))
    rescue_journal(folder, Mode.LIVE, NOW, letterhead=today)
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection:
        bodies = connection.execute(
            "SELECT DISTINCT body FROM envelopes JOIN letterheads ON letterheads.id = letterhead_id"
        ).fetchall()
    assert len(bodies) == 1
    assert "night@example.org" in bodies[0][0]


def test_lost_outcomes_are_flagged(whole: Damaged, tmp_path: Path) -> None:
    """A recipient whose outcome is lost may have the mail already; a dead letter keeps all of its recipients."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, whole.pages_of("deliveries", "leaf")[0])
    rescued(folder)
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection:
        recipients = connection.execute(
            f"SELECT count(*) FROM deliveries WHERE envelope_id IN ({DEAD}) GROUP BY envelope_id"
        ).fetchall()
        unflagged = connection.execute("SELECT count(*) FROM envelopes WHERE state = 0 AND NOT ambiguous").fetchone()[0]
    assert len(recipients) == len(whole.dead)
    assert {count for (count,) in recipients} == {len(LETTERHEAD.recipients)}
    assert unflagged == 0


def test_half_a_file_is_not_sent(whole: Damaged, tmp_path: Path) -> None:
    """A mail whose attachment has lost a piece goes without its attachments; the others keep theirs."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, whole.pages_of("attachments", "overflow")[3])
    rescued(folder)
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection:
        without = connection.execute("SELECT count(*) FROM envelopes WHERE without_attachments").fetchone()[0]
        kept = connection.execute("SELECT count(DISTINCT alert_id) FROM attachments").fetchone()[0]
    assert (without, kept) == (1, 2)


def test_a_journal_of_the_other_mode_is_left_alone(whole: Damaged, tmp_path: Path) -> None:
    """Alerts of a live journal are not swallowed by the sandbox, damaged or not."""
    folder = whole.copy(tmp_path / "journal")
    before = (folder / JOURNAL_FILE).read_bytes()
    with pytest.raises(ConfigurationError, match="would swallow"):
        rescued(folder, Mode.SANDBOX)
    assert (folder / JOURNAL_FILE).read_bytes() == before


def full_disk(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA max_page_count = 30")


def test_a_rescue_without_room_leaves_the_old_journal(
    whole: Damaged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk it fails as a start does, and can be tried again."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, 5)
    before = (folder / JOURNAL_FILE).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(rescue, "open_writer", opened_then(full_disk))
        with pytest.raises(JournalUnavailable, match="full"):
            rescued(folder)
    assert (folder / JOURNAL_FILE).read_bytes() == before
    assert rescued(folder).copied > 0


def opened_then(change: Callable[[sqlite3.Connection], None]) -> Callable[[Path, Mode], sqlite3.Connection]:
    def opened(folder: Path, mode: Mode) -> sqlite3.Connection:
        connection = open_writer(folder, mode)
        change(connection)
        return connection

    return opened


STEPS = range(6)  # the names that a replacement makes or removes: the directory's, three files', the new one's


class Crash(BaseException):
    """The machine stops."""


@pytest.fixture
def crashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Let the n-th renaming be the last thing that happens."""

    def crash_at(step: int) -> None:
        renamed = 0
        rename = Path.rename

        def once_more(self: Path, target: Path) -> Path:
            nonlocal renamed
            if renamed == step:
                raise Crash
            renamed += 1
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", once_more)

    yield crash_at
    monkeypatch.undo()


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_in_the_middle(
    whole: Damaged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crashing: Callable[[int], None], step: int
) -> None:
    """Wherever the rescue ends, the next start has the old journal with its log, or the whole new one."""
    folder = whole.copy(tmp_path / "journal")
    with closing(open_writer(folder, Mode.LIVE)) as writer:
        writer.execute("UPDATE meta SET value = 77 WHERE name = 'usable_seconds'")
        crashed = tmp_path / "crashed"
        shutil.copytree(folder, crashed)
    crashing(step)
    try:
        rescued(crashed)
    except Crash:
        monkeypatch.undo()
        finish_replacement(crashed)
    with closing(open_writer(crashed, Mode.LIVE)) as journal:
        assert numbers(journal, OPEN) == whole.open
        assert numbers(journal, "SELECT value FROM meta WHERE name = 'usable_seconds'") == {77}


def test_a_damaged_journal_is_not_opened(whole: Damaged, tmp_path: Path) -> None:
    """The one who opens it is told to rescue it first."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, 1)
    with pytest.raises(JournalCorrupt, match=JOURNAL_FILE):
        open_writer(folder, Mode.LIVE)
