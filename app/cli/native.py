"""An alert as the commands post it: a native document under a new idempotency key."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.cli.client import Daemon
from app.domain.spooled import SpooledAlert
from app.domain.text import cut_middle

MAX_SUBJECT = 500  # characters; what the daemon takes
MAX_CONTENT = 256 << 10  # bytes; the same
KEY_BYTES = 16  # 128 random bits: no two alerts have the same, and nobody guesses one
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


def lighter_of(alert: SpooledAlert) -> SpooledAlert | None:
    """Return the alert without its attachments, None if it has none."""
    document = json.loads(alert.body)
    if not document.pop("attachments", None):
        return None
    document["content"] = cut_middle(f"{document.get('content', '')}\n\n{DROPPED}".lstrip(), MAX_CONTENT)
    return replace(alert, body=json.dumps(document).encode())
