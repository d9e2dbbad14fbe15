"""Recipients whose mails bounce: their bounces are counted, and one too many sets the address aside."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

import orjson

from app.domain.address import folded
from app.domain.bounce import BOUNCE_MEMORY, SetAsideAddress
from app.domain.ids import first_id_at
from app.storage.codec import encode_json, from_ms, to_ms

MAX_COUNTED = 1000  # envelopes that are remembered of an address: as many as set_aside_after may be

COUNT = "SELECT counted, set_aside_at FROM bounced_addresses WHERE address = ?"
PUT = """
INSERT OR REPLACE INTO bounced_addresses (address, counted, last_at, reply, set_aside_at)
VALUES (?, ?, ?, ?, ?)
"""
SET_ASIDE = """
SELECT address, json_array_length(counted), set_aside_at, reply FROM bounced_addresses
WHERE set_aside_at IS NOT NULL ORDER BY address
"""
RELEASE = "DELETE FROM bounced_addresses WHERE address = ? AND set_aside_at IS NOT NULL"


@dataclass(frozen=True, slots=True)
class HardBounce:
    """That a mail did not get to an address which is of no use, by the words of the server there."""

    address: str
    envelope_id: int
    at: datetime
    reply: str


def count_bounce(connection: sqlite3.Connection, bounce: HardBounce, *, set_aside_after: int) -> SetAsideAddress | None:
    """Count the bounce, once for each mail; return the address if this sets it aside. 0 is never.

    Earlier ones count if their mail was made within BOUNCE_MEMORY: ids tell when that was.
    """
    address = folded(bounce.address)
    counted_text, set_aside_at = connection.execute(COUNT, (address,)).fetchone() or ("[]", None)
    oldest = first_id_at(to_ms(bounce.at - BOUNCE_MEMORY))
    counted = [number for number in orjson.loads(counted_text) if number >= oldest and number != bounce.envelope_id]
    counted = [*counted, bounce.envelope_id][-MAX_COUNTED:]
    is_one_too_many = set_aside_at is None and 0 < set_aside_after <= len(counted)
    if is_one_too_many:
        set_aside_at = to_ms(bounce.at)
    connection.execute(PUT, (address, encode_json(counted), to_ms(bounce.at), bounce.reply, set_aside_at))
    return SetAsideAddress(address, len(counted), bounce.at, bounce.reply) if is_one_too_many else None


def read_set_aside(connection: sqlite3.Connection) -> list[SetAsideAddress]:
    """Return the addresses that get no mail, in their order."""
    rows = connection.execute(SET_ASIDE).fetchall()
    return [SetAsideAddress(address, bounces, from_ms(since), reply) for address, bounces, since, reply in rows]


def release(connection: sqlite3.Connection, address: str) -> bool:
    """Let the address have mail again, and count its bounces anew; False if it was not set aside."""
    return connection.execute(RELEASE, (folded(address),)).rowcount > 0
