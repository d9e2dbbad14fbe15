"""The relaxed canonical form that DKIM signs: what relays do to white space makes no difference."""

from hashlib import sha256

_BLOCK_BYTES = 256 * 1024  # a mail of 14 MB is not copied as a whole
_TABS_TO_SPACES = bytes.maketrans(b"\t", b" ")


def relaxed_fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """Return the header fields of `head`, each as its lower-case name and its whole line without CRLF.

    RFC 6376 section 3.4.2: unfolded, runs of white space as one space, none around the colon or at the end.
    """
    fields = []
    unfolded = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    for line in _single_spaces(unfolded).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            name = name.rstrip().lower()
            fields.append((name, name + b":" + value.strip()))
    return fields


def relaxed_body_hash(message: bytes, start: int) -> bytes:
    """Return the SHA-256 of the body that begins at `start`.

    RFC 6376 section 3.4.4: no white space at the end of a line, else runs of it as one space, no empty lines
    at the end. Lines must be ended by CRLF throughout.
    """
    hasher = sha256()
    waiting = b""  # empty lines, which count only if something follows them
    is_empty = True
    while start < len(message):
        end = _line_end(message, start + _BLOCK_BYTES)
        block = _relaxed_lines(message[start:end])
        text = block.rstrip(b"\r\n")
        if text:
            hasher.update(waiting)
            hasher.update(text)
            waiting = b""
            is_empty = False
        waiting += block[len(text) :]
        start = end
    if not is_empty:
        hasher.update(b"\r\n")
    return hasher.digest()


def _line_end(message: bytes, start: int) -> int:
    """Return where the line ends that `start` is in."""
    end = message.find(b"\r\n", start)
    return len(message) if end < 0 else end + 2


def _relaxed_lines(lines: bytes) -> bytes:
    if b" " not in lines and b"\t" not in lines:  # base64: nearly all of a large mail
        return lines
    return _single_spaces(lines).replace(b" \r\n", b"\r\n")


def _single_spaces(octets: bytes) -> bytes:
    """Return `octets` with a space for each run of spaces and TABs."""
    octets = octets.translate(_TABS_TO_SPACES)
    # Each round halves the runs. A regular expression takes many times as long.
    while b"  " in octets:
        octets = octets.replace(b"  ", b" ")
    return octets
