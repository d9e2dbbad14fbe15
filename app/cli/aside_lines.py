"""What `mailalert queue aside` prints of the daemon's answer: a table for people, lines with tabs for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.cli.printable import printable_line
from app.cli.queue_lines import local_time
from app.cli.table import table

HEADINGS = ("ADDRESS", "SINCE", "BOUNCES", "LAST REPLY")


def for_people(found: Sequence[dict[str, Any]], *, width: int) -> Iterator[str]:
    """Yield the lines of a table that is `width` columns wide, with local times."""
    return table(HEADINGS, [_cells(item) for item in found], width=width)


def for_programs(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each address: its fields with tabs between them, the reply as the last."""
    for item in found:
        yield "\t".join((item["address"], item["since"], str(item["bounces"]), printable_line(item["reply"])))


def _cells(item: dict[str, Any]) -> tuple[str, ...]:
    address, reply = printable_line(item["address"]), printable_line(item["reply"])
    return (address, local_time(item["since"]), str(item["bounces"]), reply)
