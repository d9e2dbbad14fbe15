"""The number of open envelopes: kept, never counted, and always right."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.domain.errors import JournalUnavailable
from app.domain.outcome import Outcome
from app.domain.ports import FreshStart
from app.storage.database import Mode
from app.storage.journal import SqliteJournal
from tests.support.clock import NOW
from tests.support.desk import envelope_ids
from tests.support.factories import AMBIGUOUS, DEFERRED, LETTERHEAD, REFUSED, SENT, verdict_on
from tests.support.sqlite_desk import SqliteDesk

START = FreshStart(at=NOW, usable_seconds=0, running_seconds=0)
outcomes = st.sampled_from([SENT, REFUSED, DEFERRED, AMBIGUOUS])


class OpenEnvelopes(RuleBasedStateMachine):
    """Accepts, records, fails, sends again, gives up and restarts in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = TemporaryDirectory()
        self.open: list[int] = []
        self.dead: set[int] = set()

    @initialize()
    def start(self) -> None:
        """Open the journal."""

        async def begin() -> SqliteDesk:
            journal = SqliteJournal(Path(self.directory.name), mode=Mode.LIVE, backlog_limit=20)
            return SqliteDesk(journal, letterhead_id=await journal.keep(LETTERHEAD))

        self.desk = self.runner.run(begin())

    @rule(count=st.integers(1, 5))
    def accept(self, count: int) -> None:
        """Post, also over the backlog limit."""
        before = len(self.open)
        results = self.run(self.desk.post(count))
        if before + count <= 20:
            self.open += envelope_ids(results)
        else:
            assert isinstance(results, Exception)

    @rule()
    def accept_poison(self) -> None:
        """Post an array of which one alert cannot be stored."""
        batch = self.desk.make.batch(2)
        result = self.run(self.desk.journal.accept(batch.alerts, batch.envelopes[:1] * 2))
        assert isinstance(result, Exception)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), of_each=st.lists(outcomes, min_size=1, max_size=4))
    def record(self, data: st.DataObject, of_each: list[Outcome]) -> None:
        """Record the outcomes of some attempts at once."""
        marked = data.draw(st.permutations(self.open))[: len(of_each)]
        pairs = list(zip(marked, of_each, strict=False))

        async def mark() -> None:
            await asyncio.gather(*(self.desk.journal.record(verdict_on(*pair)) for pair in pairs))

        assert self.run(mark()) is None
        for envelope, outcome in pairs:
            if outcome in {SENT, REFUSED}:
                self.open.remove(envelope)
            if outcome == REFUSED:
                self.dead.add(envelope)

    @rule(limit=st.integers(1, 5))
    def retry(self, limit: int) -> None:
        """Send some dead letters again, as far as there is room in the backlog."""
        result = self.run(self.desk.journal.retry_some(limit, START))
        room = 20 - len(self.open)
        if not room:
            assert isinstance(result, JournalUnavailable)
            return
        retried = sorted(self.dead)[: min(limit, room)]
        assert result.retried == len(retried)
        self.open += retried
        self.dead -= set(retried)

    @precondition(lambda self: self.dead)
    @rule()
    def drop(self) -> None:
        """Give a dead letter up: it has not been open."""
        assert self.run(self.desk.journal.drop(self.dead.pop(), NOW)) is True

    @rule()
    def restart(self) -> None:
        """Close and open again."""
        self.run(self.desk.journal.close())
        self.start()

    @invariant()
    def every_count_agrees(self) -> None:
        """Memory, the counter in the file, and the table say the same."""
        if hasattr(self, "desk"):
            assert self.run(self.desk.open_counts()) == {len(self.open)}

    def run(self, coroutine: Any) -> Any:
        """Return the result of `coroutine`, or its exception."""

        async def guarded() -> Any:
            try:
                return await coroutine
            except Exception as error:  # noqa: BLE001 - the machine says which are right
                return error

        return self.runner.run(guarded())

    def teardown(self) -> None:
        """End everything."""
        self.run(self.desk.journal.close())
        self.runner.close()
        self.directory.cleanup()


TestOpenEnvelopes = OpenEnvelopes.TestCase
TestOpenEnvelopes.settings = settings(
    max_examples=15, stateful_step_count=15, suppress_health_check=[HealthCheck.too_slow]
)
