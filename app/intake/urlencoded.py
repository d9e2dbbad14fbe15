"""Names and values as a query string or an HTML form carries them (application/x-www-form-urlencoded)."""

from urllib.parse import unquote_to_bytes

from app.domain.charset import decode

MAX_PAIRS = 1_000  # the fields of an alert, its labels and its links many times over


def read_pairs(data: bytes, charset: str = "") -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Return the names and values in order, and the warnings of decoding them, each once.

    What comes after `MAX_PAIRS` of them stays part of the last value.
    """
    pairs: list[tuple[str, str]] = []
    warnings: dict[str, None] = {}
    for piece in data.split(b"&", MAX_PAIRS):
        if not piece:
            continue
        raw_name, _, raw_value = piece.partition(b"=")
        name, value = (decode(unquote_to_bytes(raw.replace(b"+", b" ")), charset) for raw in (raw_name, raw_value))
        pairs.append((name.text, value.text))
        warnings.update(dict.fromkeys(name.warnings + value.warnings))
    return pairs, tuple(warnings)
