"""What `mailalert queue list` prints of the daemon's answers: a table for people, lines with tabs for programs."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from app.cli.printable import printable_line
from app.cli.table import table

HEADINGS = ("ID", "TIME", "STATE", "SEVERITY", "SUBJECT")


def for_people(found: Sequence[dict[str, Any]], *, width: int) -> Iterator[str]:
    """Yield the lines of a table that is `width` columns wide, with local times.

    Below a dead letter stands each recipient for whom it failed, and why.
    """
    heading, *lines = table(HEADINGS, [_cells(item) for item in found], width=width)
    yield heading
    for line, item in zip(lines, found, strict=True):
        yield line
        for recipient in item.get("recipients", ()):
            yield "    " + printable_line(f"{recipient['address']}: {recipient['text']}")


def for_programs(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each alert, or for each recipient of a dead letter: its fields with tabs between them."""
    for item in found:
        fields = [_id(item), _time(item), _state(item), item["severity"], item["subject"]]
        for recipient in item.get("recipients", [None]):
            yield "\t".join([*fields, *([recipient["address"], recipient["text"]] if recipient else ())])


def local_time(text: str) -> str:
    """Return a time of the daemon's answers as the clock on the wall shows it."""
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M:%S}"


def _cells(item: dict[str, Any]) -> tuple[str, ...]:
    return (_id(item), local_time(_time(item)), _state(item), item["severity"], printable_line(item["subject"]))


def _id(item: dict[str, Any]) -> str:
    """Return the alert's id, which all lists show, whatever else has an id."""
    return str(item.get("alert_id") or item["id"])


def _time(item: dict[str, Any]) -> str:
    """When it was received, or when it failed."""
    time: str = item.get("failed_at") or item["received_at"]
    return time


def _state(item: dict[str, Any]) -> str:
    return str(item.get("state", "failed"))
