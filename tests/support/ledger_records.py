"""Two of the ledger's three records: what the servers stored, and the journal's file. The third is the poster's."""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.domain.envelope import EnvelopeState
from app.domain.ids import format_id
from tests.support.ledger import Copy, Fate, Line
from tests.support.scripted_smtp import StoredMail

JOURNAL = "journal.sqlite3"
FATES = {
    "pending": Fate.QUEUED,
    "sent": Fate.SENT,
    "refused": Fate.DEAD,
    "expired": Fate.DEAD,
    "dropped": Fate.DROPPED,
}
LINES = """
SELECT envelopes.alert_id, envelopes.id, envelopes.state, alerts.payload, letterheads.body
FROM envelopes
LEFT JOIN alerts ON alerts.id = envelopes.alert_id
LEFT JOIN letterheads ON letterheads.id = envelopes.letterhead_id
"""


def copies_at(mails: Iterable[StoredMail]) -> list[Copy]:
    """Return what a scripted server stored, one copy for each recipient of each mail."""
    return [copy for mail in mails for copy in _copies(mail.data, mail.recipients)]


def copies_in(mails: Iterable[EmailMessage], *, recipient: str = "") -> list[Copy]:
    """Return what lies in a mailbox of `recipient`, or what smtp-sink wrote with the recipients in X-Rcpt-Args."""
    return [
        copy
        for mail in mails
        for copy in _copies(mail.as_bytes(), [recipient] if recipient else _sink_recipients(mail))
    ]


def _sink_recipients(mail: EmailMessage) -> list[str]:
    return [str(value).strip("<>") for value in mail.get_all("X-Rcpt-Args", [])]


def _copies(octets: bytes, recipients: Iterable[str]) -> Iterator[Copy]:
    message = message_from_bytes(octets, policy=policy.compat32)
    # Servers add headers and may write other line ends: the content alone must be the same in every copy.
    content = octets.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    for recipient in recipients:
        yield Copy(
            envelope=str(message["X-MailAlert-Id"]).partition(".")[0],  # the MAC is behind the dot
            recipient=recipient,
            message_id=str(message["Message-ID"]),
            content=sha256(content).digest(),
        )


def read_journal(data_dir: Path) -> list[Line]:
    """Return what the journal of a daemon that has ended says, read from a copy of its file."""
    with tempfile.TemporaryDirectory() as folder:
        for file in data_dir.glob(f"{JOURNAL}*"):
            shutil.copy(file, folder)
        with closing(sqlite3.connect(Path(folder, JOURNAL))) as connection:
            return list(_lines(connection))


def _lines(connection: sqlite3.Connection) -> Iterator[Line]:
    deliveries = {
        (envelope, position): (state, bool(ambiguous))
        for envelope, position, state, ambiguous in connection.execute(
            "SELECT envelope_id, position, state, ambiguous FROM deliveries"
        )
    }
    for alert, envelope, state, payload, letterhead in connection.execute(LINES):
        for position, recipient in enumerate(_recipients(letterhead)):
            said, twice = deliveries.get((envelope, position), ("pending", False))
            unreadable = state == EnvelopeState.OPEN and not _is_readable(payload)
            fate = Fate.QUARANTINED if unreadable else FATES[said]
            yield Line(format_id(alert), format_id(envelope), recipient, fate, twice)


def _recipients(letterhead: str) -> list[str]:
    body: dict[str, Any] = json.loads(letterhead)
    return [address for address, _ in body["recipients"]]


def _is_readable(payload: str | None) -> bool:
    try:
        return isinstance(json.loads(payload or ""), dict)
    except ValueError:
        return False
