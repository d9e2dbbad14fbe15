"""The contents of attachments, in pieces in a table of their own."""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from app.domain.alert import AcceptedAlert
from app.storage.rows import Row

# Small beside what a commit takes anyway, and large enough that the few bytes around each piece do not count.
PIECE_BYTES = 256 * 1024

INSERT_PIECES = "INSERT INTO attachments (alert_id, number, piece, data) VALUES (?, ?, ?, ?)"
PIECES = "SELECT number, data FROM attachments WHERE alert_id = ? ORDER BY number, piece"


def pieces_of(accepted: AcceptedAlert) -> Iterator[Row]:
    """Return the rows that hold the alert's attachments; an empty one has a piece too, so that none is missing."""
    for number, attachment in enumerate(accepted.alert.attachments):
        data = memoryview(attachment.data)  # its slices copy nothing
        for piece, start in enumerate(range(0, max(len(data), 1), PIECE_BYTES)):
            yield (accepted.id, number, piece, data[start : start + PIECE_BYTES])


def read_attachments(connection: sqlite3.Connection, alert_id: int) -> dict[int, bytes]:
    """Return the contents of the alert's attachments by their number, from 0; one that is lost is missing."""
    rows = connection.execute(PIECES, (alert_id,))
    return {number: b"".join(map(itemgetter(1), pieces)) for number, pieces in groupby(rows, key=itemgetter(0))}
