"""A spooled alert: one that could not be posted yet, as the client writes it into a file and reads it, or the daemon.

The first line of the file is JSON that says how to hand the alert in. The rest is the body of the request, byte for
byte: whoever hands it in hands in the same, and the daemon sees that it is.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from app.domain.errors import MailAlertError

if TYPE_CHECKING:
    from app.domain.receipt import Claim

VERSION = 1
FORMAT = "native"  # the last part of the path that clients post it to
SUFFIX = ".alert"  # of the file's name once it is whole; before that it begins with a dot
MAX_FILE = 16 << 20  # bytes; 10 MiB of attachments in base64 and the fields, with room
MAX_HEADER = 64 << 10  # bytes; names of receivers are all in it that may be long
# 128 random bits, as hexadecimal digits. Nothing else counts as a key here: who may write into a shared spool must
# not be able to take the key of another's event before it comes.
_KEY = re.compile("[0-9a-f]{32}")


class BrokenSpoolFile(MailAlertError):
    """The file holds no spooled alert, or not all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledAlert:
    """`body` is a native alert as JSON, `key` its idempotency key of 32 hexadecimal digits.

    `fingerprint` is the SHA-256 of the token with which it was posted in vain, b"" without one. `receivers` are the
    names for the URL.
    """

    key: str
    body: bytes = field(repr=False)
    made_at: datetime
    fingerprint: bytes = field(default=b"", repr=False)
    receivers: tuple[str, ...] = ()

    def claims(self) -> "tuple[Claim, ...]":
        """Return under which claims a post that got no answer may have been kept.

        That is the token's, or nobody's, if the daemon asked for no token.
        """
        from app.domain.receipt import claim_of, request_bytes  # the daemon's alone; commands are to start quickly

        query = [("receiver", name) for name in self.receivers]
        sent = request_bytes(self.body, format_name=FORMAT, query=query)
        fingerprints = dict.fromkeys((self.fingerprint, b""))
        return tuple(claim_of(self.key, sent, fingerprint=fingerprint) for fingerprint in fingerprints)


def encode_spooled(alert: SpooledAlert) -> bytes:
    """Return what the file holds."""
    header = {
        "version": VERSION,
        "key": alert.key,
        "fingerprint": alert.fingerprint.hex(),
        "receivers": list(alert.receivers),
        "made_at": alert.made_at.isoformat(),
        "sha256": sha256(alert.body).hexdigest(),
    }
    return json.dumps(header, separators=(",", ":")).encode() + b"\n" + alert.body


def decode_spooled(data: bytes) -> SpooledAlert:
    """Return the alert that the file holds. Raises BrokenSpoolFile."""
    header, newline, body = data.partition(b"\n")
    if not newline or len(header) > MAX_HEADER:
        raise BrokenSpoolFile("no spooled alert: it has no first line that is a header")
    try:
        return _spooled(json.loads(header), body)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BrokenSpoolFile(f"no spooled alert: {error}") from None


def _spooled(header: Any, body: bytes) -> SpooledAlert:
    if header["version"] != VERSION:
        raise ValueError(f"its version is not {VERSION}")
    if header["sha256"] != sha256(body).hexdigest():
        raise ValueError("its body is not the one that was written")
    fingerprint = bytes.fromhex(header["fingerprint"])
    if not _KEY.fullmatch(header["key"]) or len(fingerprint) not in {0, sha256().digest_size}:
        raise ValueError("key or fingerprint has the wrong length")
    receivers = header["receivers"]
    if not isinstance(receivers, list) or not all(isinstance(name, str) for name in receivers):
        raise ValueError("the receivers are no list of names")
    made_at = datetime.fromisoformat(header["made_at"])
    if made_at.tzinfo is None:
        raise ValueError("its time has no offset")
    return SpooledAlert(
        key=header["key"], body=body, made_at=made_at, fingerprint=fingerprint, receivers=tuple(receivers)
    )
