"""An alert as the commands post it: a native document under a new idempotency key."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.cli.client import Daemon
from app.domain.spooled import SpooledAlert
from app.domain.text import cut_middle

MAX_SUBJECT = 500  # characters; what the daemon takes
MAX_CONTENT = 256 << 10  # bytes; the same
KEY_BYTES = 16  # 128 random bits: no two alerts have the same, and nobody guesses one
SHORTER = (32 << 10, 4 << 10, 512)  # bytes of text, tried in turn; a body_limit below 1 KiB is refused at the start
DROPPED = "[The attachments were left out: the daemon found them too large.]"


def spooled_alert(document: Mapping[str, Any], *, daemon: Daemon, receivers: tuple[str, ...] = ()) -> SpooledAlert:
    """Return the alert, ready to be posted to that daemon or to be kept for it."""
    return SpooledAlert(
        key=os.urandom(KEY_BYTES).hex(),
        body=json.dumps(document).encode(),
        made_at=datetime.now(UTC),
        fingerprint=daemon.fingerprint,
        receivers=receivers,
    )


def lighter_of(alert: SpooledAlert) -> Iterator[SpooledAlert]:
    """Yield the alert ever smaller, each time under the same key: without attachments, then with a shorter text."""
    document = json.loads(alert.body)
    if document.pop("attachments", None):
        document["content"] = cut_middle(f"{document.get('content', '')}\n\n{DROPPED}".lstrip(), MAX_CONTENT)
        yield replace(alert, body=json.dumps(document).encode())
    for limit in SHORTER:
        content = document.get("content", "")
        if len(content.encode()) > limit:
            document["content"] = cut_middle(content, limit)
            yield replace(alert, body=json.dumps(document).encode())
