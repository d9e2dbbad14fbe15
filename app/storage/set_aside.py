"""Recipients whose mails bounce: their bounces are counted, and one too many sets the address aside."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

import orjson

from app.domain.bounce import SetAsideAddress
from app.storage.codec import encode_json, from_ms, to_ms

MAX_COUNTED = 100  # envelopes that are remembered of an address; who sends to it again and again repeats the last ones

COUNT = "SELECT bounces, counted, set_aside_at FROM bounced_addresses WHERE address = ?"
PUT = """
INSERT OR REPLACE INTO bounced_addresses (address, bounces, counted, last_at, reply, set_aside_at)
VALUES (?, ?, ?, ?, ?, ?)
"""
SET_ASIDE = """
SELECT address, bounces, set_aside_at, reply FROM bounced_addresses WHERE set_aside_at IS NOT NULL ORDER BY address
"""
RELEASE = "DELETE FROM bounced_addresses WHERE address = ? AND set_aside_at IS NOT NULL"


@dataclass(frozen=True, slots=True)
class HardBounce:
    """That a mail did not get to an address which is of no use, by the words of the server there."""

    address: str
    envelope_id: int
    at: datetime
    reply: str


def count_bounce(connection: sqlite3.Connection, bounce: HardBounce, *, set_aside_after: int) -> bool:
    """Count the bounce, once for each mail; return whether it set the address aside. 0 is never."""
    address = _folded(bounce.address)
    bounces, counted_text, set_aside_at = connection.execute(COUNT, (address,)).fetchone() or (0, "[]", None)
    counted: list[int] = orjson.loads(counted_text)
    if bounce.envelope_id not in counted:
        bounces += 1
        counted = [*counted, bounce.envelope_id][-MAX_COUNTED:]
    is_one_too_many = set_aside_at is None and 0 < set_aside_after <= bounces
    if is_one_too_many:
        set_aside_at = to_ms(bounce.at)
    row = (address, bounces, encode_json(counted), to_ms(bounce.at), bounce.reply, set_aside_at)
    connection.execute(PUT, row)
    return is_one_too_many


def read_set_aside(connection: sqlite3.Connection) -> list[SetAsideAddress]:
    """Return the addresses that get no mail, in their order."""
    rows = connection.execute(SET_ASIDE).fetchall()
    return [SetAsideAddress(address, bounces, from_ms(since), reply) for address, bounces, since, reply in rows]


def release(connection: sqlite3.Connection, address: str) -> bool:
    """Let the address have mail again, and count its bounces anew; False if it was not set aside."""
    return connection.execute(RELEASE, (_folded(address),)).rowcount > 0


def _folded(address: str) -> str:
    return address.lower()  # as `judge_bounce` compares them
