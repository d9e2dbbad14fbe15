"""The reading side on a journal of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.storage.database import Mode
from app.storage.journal import SqliteJournal
from tests.support.mailbox_site import BACKLOG_LIMIT, MailboxSite


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[MailboxSite]:
    """A site that takes other mails as alerts, and was started."""
    journal = SqliteJournal(tmp_path, mode=Mode.LIVE, backlog_limit=BACKLOG_LIMIT)
    yield await MailboxSite(journal, intake=True).start()
    await journal.close()
