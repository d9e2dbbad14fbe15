"""Receipts in the journal: written with the alerts that they are for, found by key, forgotten after a day."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import orjson

from app.domain.receipt import Claim, KeptReceipt, Receipt
from app.storage.codec import encode_json, from_ms, to_ms
from app.storage.rows import Row

STEP = 1000  # removed in one transaction: a few milliseconds

FORGET = """
DELETE FROM receipts WHERE id IN (SELECT id FROM receipts WHERE made_at < ? ORDER BY made_at LIMIT ?)
"""


def receipt_row(kept: KeptReceipt) -> Row:
    """Return key, digest, time and answer."""
    receipt = kept.receipt
    answer = encode_json([receipt.ids, receipt.warnings, receipt.is_batch])
    return (kept.claim.key, kept.claim.digest, to_ms(kept.made_at), answer)


def read_receipts(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, KeptReceipt]:
    """Return the receipts that are kept under these keys."""
    found = {}
    for key in keys:
        row = connection.execute("SELECT digest, made_at, answer FROM receipts WHERE key = ?", (key,)).fetchone()
        if row is not None:
            ids, warnings, is_batch = orjson.loads(row[2])
            receipt = Receipt(tuple(ids), tuple(warnings), is_batch)
            found[key] = KeptReceipt(Claim(key, row[0]), receipt, from_ms(row[1]))
    return found


def forget_receipts(connection: sqlite3.Connection, before: datetime) -> int:
    """Remove up to STEP receipts made before that time; return how many."""
    return connection.execute(FORGET, (to_ms(before), STEP)).rowcount
