"""What `mailalert queue list` prints of the daemon's answers: a table for people, lines with tabs for programs."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from app.domain.text import shorten

HEADINGS = {"id": "ID", "time": "TIME", "state": "STATE", "severity": "SEVERITY", "subject": "SUBJECT"}
MIN_SUBJECT = 20  # characters that are shown of a subject, however narrow the terminal


def for_people(found: Sequence[dict[str, Any]], *, width: int) -> Iterator[str]:
    """Yield the lines of a table that is `width` characters wide, with local times.

    Below a dead letter stands each recipient for whom it failed, and why.
    """
    if not found:
        yield "None."
        return
    rows = [HEADINGS, *map(_row, found)]
    columns = [max(len(row[name]) for row in rows) for name in HEADINGS if name != "subject"]
    room = max(MIN_SUBJECT, width - sum(columns) - 2 * len(columns))
    for row, item in zip(rows, [{}, *found], strict=True):
        *cells, subject = row.values()
        padded = [f"{cell:<{column}}" for cell, column in zip(cells, columns, strict=True)]
        yield "  ".join([*padded, shorten(subject, room)])
        yield from (f"    {recipient['address']}: {recipient['text']}" for recipient in item.get("recipients", ()))


def for_programs(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each alert, or for each recipient of a dead letter: its fields with tabs between them."""
    for item in found:
        fields = [_id(item), _time(item), _state(item), item["severity"], item["subject"]]
        for recipient in item.get("recipients", [None]):
            yield "\t".join([*fields, *([recipient["address"], recipient["text"]] if recipient else ())])


def _row(item: dict[str, Any]) -> dict[str, str]:
    moment = datetime.fromisoformat(_time(item)).astimezone()
    values = (_id(item), f"{moment:%Y-%m-%d %H:%M:%S}", _state(item), item["severity"], item["subject"])
    return dict(zip(HEADINGS, values, strict=True))


def _id(item: dict[str, Any]) -> str:
    """Return the alert's id, which all lists show, whatever else has an id."""
    return str(item.get("alert_id") or item["id"])


def _time(item: dict[str, Any]) -> str:
    """When it was received, or when it failed."""
    time: str = item.get("failed_at") or item["received_at"]
    return time


def _state(item: dict[str, Any]) -> str:
    return str(item.get("state", "failed"))
