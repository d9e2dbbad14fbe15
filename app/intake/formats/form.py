"""Form fields by the native names: `curl -d subject='Disk full' -d severity=error -d labels.host=web1`.

A label is written `labels.NAME=VALUE`; `links` may come several times.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from app.intake.charset import BYTE_ORDER_MARKS
from app.intake.formats import native
from app.intake.incoming import Reading
from app.intake.urlencoded import MAX_PAIRS, read_pairs

LABEL_PREFIX = "labels."

_UTF8_MARK = BYTE_ORDER_MARKS[0][0]
_NAME = re.compile(rb"[\w.\-\[\]\x80-\xff]+")  # of a field, decoded: what people and programs call one


def is_form(body: bytes) -> bool:
    """Return whether `body` has `subject` or `content` as a field, and nothing but fields before it.

    A log line that holds `GET /item?id=7&content=x` is no form: "GET /item?id" names no field.
    """
    for piece in body.removeprefix(_UTF8_MARK).split(b"&", MAX_PAIRS):
        name, equals, _ = piece.partition(b"=")
        name = unquote_to_bytes(name)
        if equals and name in {b"subject", b"content"}:
            return True
        if name and not _NAME.fullmatch(name):
            return False
    return False


def read(body: bytes, charset: str = "") -> Reading:
    """Return the alert of a form, under the rules of native JSON. An empty field counts as not given."""
    pairs, warnings = read_pairs(body.removeprefix(_UTF8_MARK), charset)
    return read_fields(pairs, warnings)


def read_fields(pairs: Iterable[tuple[str, str]], warnings: Sequence[str]) -> Reading:
    """Return the alert of the names and values of a form; `warnings` are those of decoding them."""
    fields: dict[str, object] = {}
    labels: dict[str, str] = {}
    links: list[str] = []
    repeated: dict[str, None] = {}
    for name, value in pairs:
        if name == "links":
            links.append(value)
        elif name.startswith(LABEL_PREFIX):
            labels[name.removeprefix(LABEL_PREFIX)] = value
        elif value:
            if name in fields:
                repeated[f"{name} came more than once; the last one counts"] = None
            fields[name] = value if name == "content" else value.strip()
    given = {"labels": labels, "links": links}
    reading = native.read(fields | {name: value for name, value in given.items() if value})
    return replace(reading, warnings=(*warnings, *repeated, *reading.warnings))
