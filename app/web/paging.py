"""Pages of a list: how long they are, and the cursor that leads from one to the next."""

from typing import Annotated

from fastapi import Depends, Query

from app.domain.ids import format_id, parse_id
from app.web.errors import BadCursor

MAX_PAGE = 500  # lines; a few hundred kilobytes, and a few milliseconds of the journal

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]


async def read_cursor(cursor: Annotated[str | None, Query(description="`next` of the page before")] = None) -> int:
    """Return the id to go on from, 0 for the beginning. Raises BadCursor."""
    position = parse_id(cursor) if cursor else 0
    if position is None:
        raise BadCursor
    return position


Position = Annotated[int, Depends(read_cursor)]


def cursor_text(position: int | None) -> str | None:
    """Return the cursor to go on from `position` with, None at the end."""
    return None if position is None else format_id(position)
