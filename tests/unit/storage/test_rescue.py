"""The rescue of a damaged journal: one bad page costs what stands in it, and nothing else."""

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.domain.acknowledgement import AckAction, AckDoor, AckEvent
from app.domain.address import Mailbox
from app.domain.envelope import EnvelopeState
from app.domain.errors import ConfigurationError, JournalCorrupt, JournalUnavailable
from app.domain.heartbeat import HeartbeatRecord, Pulse
from app.domain.mail_read import SEEN, MailboxName, MailRead
from app.domain.receipt import KeptReceipt, Receipt, claim_of
from app.storage import rescue
from app.storage.database import JOURNAL_FILE, Mode, open_writer
from app.storage.journal import SqliteJournal
from app.storage.pages import PAGE_BYTES
from app.storage.replacement import finish_replacement
from app.storage.rescue import RescueReport, rescue_journal
from app.storage.set_aside import HardBounce, count_bounce
from tests.support.clock import NOW
from tests.support.factories import AMBIGUOUS, LETTERHEAD, REFUSED, SENT, an_attachment, due_query, verdict_on
from tests.support.heartbeat_bench import a_heartbeat
from tests.support.sqlite_desk import SqliteDesk

FILES = 2
CLAIMS = [claim_of(f"key {number}", b"body", fingerprint=b"f") for number in range(120)]  # several pages of each
HEARTBEATS = 20
BOX = MailboxName("box", "7")
UIDS = [f"uid{number:04}" for number in range(200)]
ASIDE = 150
ACKNOWLEDGED = AckEvent(at=NOW, action=AckAction.ACKNOWLEDGED, who="ann@example.org", how=AckDoor.REPLY)
OPEN = "SELECT id FROM envelopes WHERE state = 0"
DEAD = "SELECT id FROM envelopes WHERE state IN (2, 3)"
# Of what is finished the rescue keeps nothing.
UNFINISHED_ACKS = """
SELECT alert_id FROM acknowledgements WHERE alert_id IN (SELECT alert_id FROM envelopes WHERE state IN (0, 2, 3))
"""
PAGES = "SELECT pageno, name, pagetype FROM dbstat"
UNFLAGGED = "SELECT id FROM envelopes WHERE state = 0 AND NOT ambiguous"


@dataclass(frozen=True, slots=True)
class Damaged:
    """A journal whose daemon has ended, before anything happened to it, and what is in it."""

    folder: Path
    open: set[int]
    dead: set[int]
    acknowledged: set[int]
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
    """Make a journal with hundreds of mails: half of them sent, some dead, some under way, some with files.

    Of the alerts some have two mails, and some are kept without any. Receipts and heartbeats are beside them, and
    what the mailbox has told.
    """
    journal = opened(folder)
    desk = SqliteDesk(journal, letterhead_id=await journal.keep(LETTERHEAD))
    batch = await desk.post(200, content="x" * 300)
    await desk.post(4, content="y" * 9000)
    await desk.post(3, attachments=(an_attachment(bytes(20_000)),) * FILES)
    for _ in range(3):
        await desk.post_to(2)
        await desk.post_to(1, state=EnvelopeState.KEPT)
    receipts = [KeptReceipt(claim, Receipt((1,)), NOW) for claim in CLAIMS]
    heartbeats = [
        HeartbeatRecord(a_heartbeat(name=f"job{n}"), Pulse(since=NOW), b"x" * 1000) for n in range(HEARTBEATS)
    ]
    await journal.accept([], [], receipts, heartbeats)
    for number, envelope in enumerate(batch.envelopes):
        outcome = {1: REFUSED, 2: AMBIGUOUS}.get(number % 10, SENT)
        if number % 2 or outcome is AMBIGUOUS:
            await journal.record(verdict_on(envelope.id, outcome))
    await fill_mailbox(journal, [accepted.id for accepted in batch.alerts])
    await journal.close()
    return journal.mac_key


async def fill_mailbox(journal: SqliteJournal, alert_ids: Sequence[int]) -> None:
    """Let mails have been read, alerts acknowledged, and addresses set aside."""
    await journal.mailbox.begin_poll(BOX, [MailRead(mailbox=BOX, uid=uid, at=NOW, what=SEEN) for uid in UIDS])
    for alert_id in alert_ids:
        await journal.acknowledge(alert_id, ACKNOWLEDGED)
    for number in range(ASIDE):
        bounce = HardBounce(f"r{number}@example.org", number, NOW, "550 no")
        await journal._writer.run_errand(lambda connection, b=bounce: count_bounce(connection, b, set_aside_after=1))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    """The journal that each test damages a copy of."""
    folder = tmp_path_factory.mktemp("whole")
    mac_key = asyncio.run(fill(folder))
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection:
        pages = {number: (name, kind) for number, name, kind in connection.execute(PAGES)}
        open_mails, dead_mails = numbers(connection, OPEN), numbers(connection, DEAD)
        return Damaged(folder, open_mails, dead_mails, numbers(connection, UNFINISHED_ACKS), mac_key, pages)


def numbers(connection: sqlite3.Connection, query: str) -> set[int]:
    return {row[0] for row in connection.execute(query)}


def overwrite(folder: Path, page: int, data: bytes = b"") -> None:
    """Put `data`, or else rubbish, in the place of a page."""
    with (folder / JOURNAL_FILE).open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES)
        file.write(data or random.Random(page).randbytes(PAGE_BYTES))


def rescued(folder: Path, mode: Mode = Mode.LIVE) -> RescueReport:
    return rescue_journal(folder, mode, NOW, letterhead=LETTERHEAD)


def opened(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder, mode=Mode.LIVE, backlog_limit=10_000)


def found(folder: Path) -> tuple[set[int], set[int]]:
    """Return the open and the dead envelopes of the new journal, which must be well."""
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return numbers(connection, OPEN), numbers(connection, DEAD)


@pytest.mark.parametrize("rubbish", [b"", bytes(PAGE_BYTES)], ids=["noise", "zeros"])
def test_every_single_page(whole: Damaged, tmp_path: Path, rubbish: bytes) -> None:
    """Whatever page is damaged, only mails whose alert stands in that page are lost, and all are counted."""
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
        if (name, kind) == ("alerts", "leaf"):
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
    journal = opened(folder)
    mails = await journal.due(due_query(until=NOW.replace(year=NOW.year + 1), count=10_000))
    assert {mail.envelope.id for mail in mails} == whole.open
    assert (journal.mac_key, journal.open_count) == (whole.mac_key, len(whole.open))
    await journal.close()


@pytest.fixture
def without_envelopes(whole: Damaged, tmp_path: Path) -> Path:
    """A journal in which every row of an envelope is lost."""
    folder = whole.copy(tmp_path / "journal")
    for page in whole.pages_of("envelopes", "leaf"):
        overwrite(folder, page)
    return folder


async def test_the_index_knows_envelopes_whose_rows_are_lost(whole: Damaged, without_envelopes: Path) -> None:
    """As long as their alerts can be read they are due, under their own ids, and may come a second time."""
    report = rescued(without_envelopes)
    assert (report.copied, report.dead_letters, report.lost) == (len(whole.open), len(whole.dead), 0)
    journal = opened(without_envelopes)
    mails = await journal.due(due_query(until=NOW, count=10_000))
    assert {mail.envelope.id for mail in mails} == whole.open
    assert {delivery.ambiguous for mail in mails for delivery in mail.pending} == {True}
    assert {mail.envelope.made_at for mail in mails} == {NOW}
    assert journal.interrupted == len(whole.open)
    await journal.close()


def test_an_envelope_made_anew_lives_from_now_on(without_envelopes: Path) -> None:
    """Since when it has waited is lost with its row, and it must not expire for that."""
    with closing(open_writer(without_envelopes, Mode.LIVE)) as writer:
        writer.execute("UPDATE meta SET value = 77 WHERE name IN ('usable_seconds', 'running_seconds')")
    rescued(without_envelopes)
    with closing(sqlite3.connect(without_envelopes / JOURNAL_FILE)) as connection:
        assert numbers(connection, "SELECT usable_seconds FROM envelopes") == {77}
        assert numbers(connection, "SELECT running_seconds FROM envelopes") == {77}


@pytest.mark.parametrize("damaged", ["envelopes", "alerts"])
def test_what_is_kept_stays_in_the_old_file(whole: Damaged, tmp_path: Path, damaged: str) -> None:
    """It is finished like what was sent, also where only the index knows of it."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, whole.pages_of(damaged, "leaf")[-1])
    rescued(folder)
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection:
        assert numbers(connection, "SELECT DISTINCT state FROM envelopes") == {0, 3}


async def test_dead_letters_of_the_index_are_listed(whole: Damaged, without_envelopes: Path) -> None:
    """They keep what is known of their recipients, and can be sent again."""
    rescued(without_envelopes)
    journal = opened(without_envelopes)
    page = await journal.dead_letters(before=None, limit=1000)
    assert {letter.envelope_id for letter in page.letters} == whole.dead
    assert {letter.failed[0][1].reply for letter in page.letters} == {"550 5.1.1 no such user"}
    await journal.close()


def test_an_alert_that_no_row_and_no_index_names_is_left_out(whole: Damaged, without_envelopes: Path) -> None:
    """It may have been sent long ago; those that waited are counted."""
    for page in whole.pages_of("envelopes_alert", "leaf") + whole.pages_of("envelopes_alert", "internal"):
        overwrite(without_envelopes, page)
    report = rescued(without_envelopes)
    assert (report.copied, report.lost) == (0, len(whole.open))


def test_an_index_whose_root_is_lost_is_found(whole: Damaged, without_envelopes: Path) -> None:
    """Among the records of all indices its own are known by their numbers."""
    overwrite(without_envelopes, whole.pages_of("envelopes_alert", "internal")[0])
    report = rescued(without_envelopes)
    assert len(whole.open) - 1 <= report.copied <= len(whole.open)  # the root may hold an entry itself
    assert found(without_envelopes)[0] <= whole.open


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


async def test_lost_outcomes_are_flagged(whole: Damaged, tmp_path: Path) -> None:
    """A recipient whose outcome is lost may have the mail already; a dead letter keeps all of its recipients."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, whole.pages_of("deliveries", "leaf")[0])
    rescued(folder)
    journal = opened(folder)
    assert journal.interrupted == len(whole.open)
    await journal.close()
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection:
        recipients = connection.execute(
            f"SELECT count(*) FROM deliveries WHERE envelope_id IN ({DEAD}) GROUP BY envelope_id"
        ).fetchall()
        unflagged = numbers(connection, UNFLAGGED)
    assert len(recipients) == len(whole.dead)
    assert {count for (count,) in recipients} == {len(LETTERHEAD.recipients)}
    assert unflagged == set()


async def test_lost_leases_flag_everything(whole: Damaged, tmp_path: Path) -> None:
    """Without them any mail may have been under way."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, whole.pages_of("meta", "leaf")[0])
    rescued(folder)
    journal = opened(folder)
    assert journal.interrupted == len(whole.open)
    await journal.close()


async def test_what_was_under_way_is_still_flagged(whole: Damaged, tmp_path: Path) -> None:
    """The leases of the run that ended at the damage count beside what the rescue finds."""
    folder = whole.copy(tmp_path / "journal")
    under_way = min(whole.open)
    with closing(open_writer(folder, Mode.LIVE)) as writer:
        writer.execute("UPDATE meta SET value = ? WHERE name = 'leased'", (f"[{under_way}]",))
    overwrite(folder, whole.pages_of("envelopes_open", "leaf")[0])
    rescued(folder)
    journal = opened(folder)
    assert journal.interrupted == 1
    await journal.close()


async def test_half_a_file_is_lost_alone(whole: Damaged, tmp_path: Path) -> None:
    """Of a file that has lost a piece nothing is kept, and it is counted; its mail and the other files stay."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, whole.pages_of("attachments", "overflow")[3])
    report = rescued(folder)
    journal = opened(folder)
    mails = await journal.due(due_query(until=NOW, count=10_000))
    contents = [await journal.attachments(mail.accepted.id) for mail in mails if mail.carries_attachments]
    await journal.close()
    assert report.lost_files == sum(len(files) < FILES for files in contents) == 1
    assert sum(map(len, contents)) == 3 * FILES - 1


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


BESIDE = [("heartbeats", "leaf"), ("heartbeats", "internal"), ("receipts", "leaf"), ("receipts_key", "leaf")]


@pytest.mark.parametrize(("name", "kind"), BESIDE, ids=[" ".join(page) for page in BESIDE])
async def test_a_damaged_page_beside_the_mails_is_met_by_a_read(
    whole: Damaged, tmp_path: Path, name: str, kind: str
) -> None:
    """Who reads it is told to come again, and the journal is known to be damaged, so that the rescue begins."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, whole.pages_of(name, kind)[-1])
    journal = opened(folder)
    keys = [claim.key for claim in CLAIMS]
    with pytest.raises(JournalUnavailable, match="the journal cannot be read"):
        await (journal.heartbeats() if name == "heartbeats" else journal.receipts(keys))
    assert isinstance(journal.broken.result(), JournalCorrupt)
    await journal.close()


@pytest.mark.parametrize(("name", "kind"), BESIDE, ids=[" ".join(page) for page in BESIDE])
async def test_receipts_and_heartbeats_are_rescued(whole: Damaged, tmp_path: Path, name: str, kind: str) -> None:
    """Only those of the damaged page are lost."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, whole.pages_of(name, kind)[-1])
    rescued(folder)
    journal = opened(folder)
    keys = [claim.key for claim in CLAIMS]
    heartbeats, receipts = len(await journal.heartbeats()), len(await journal.receipts(keys))
    assert 0 < heartbeats <= HEARTBEATS
    assert 0 < receipts <= len(CLAIMS)
    assert (heartbeats < HEARTBEATS) == ((name, kind) == ("heartbeats", "leaf"))
    assert (receipts < len(CLAIMS)) == ((name, kind) == ("receipts", "leaf"))
    await journal.close()


FEEDBACK = [
    ("mailbox_mails", "leaf"),
    ("mailbox_mails", "internal"),
    ("acknowledgements", "leaf"),
    ("acknowledgements", "internal"),
    ("bounced_addresses", "leaf"),
    ("sqlite_schema", "leaf"),
]


@pytest.mark.parametrize(("name", "kind"), FEEDBACK, ids=[" ".join(page) for page in FEEDBACK])
async def test_what_the_mailbox_told_is_rescued(whole: Damaged, tmp_path: Path, name: str, kind: str) -> None:
    """The mailbox stays a known one, so that no first poll passes mails over; only the damaged page is lost."""
    folder = whole.copy(tmp_path / "journal")
    overwrite(folder, whole.pages_of(name, kind)[-1])
    rescued(folder)
    journal = opened(folder)
    assert await journal.mailbox.is_known(BOX)
    kept = {
        "mailbox_mails": (len(await journal.mailbox.recorded(BOX)), len(UIDS)),
        "acknowledgements": (len(await journal.acknowledged(NOW)), len(whole.acknowledged)),
        "bounced_addresses": (len(await journal.mailbox.set_aside()), ASIDE),
    }
    await journal.close()
    assert all(0 < count <= before for count, before in kept.values())
    assert {table for table, (count, before) in kept.items() if count < before} <= {name}
