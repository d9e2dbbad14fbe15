"""The Date of a mail (RFC 5322 section 3.3), as exactly as programs write it. Never raises."""

from datetime import MAXYEAR, MINYEAR, UTC, datetime
from email.utils import parsedate_to_datetime

_MAX_DATE = 200  # characters, comments included


def read_date(text: str) -> datetime | None:
    """Return the moment in UTC, None if the text tells none. A time without a zone is in UTC (section 3.3: -0000)."""
    try:
        moment = parsedate_to_datetime(text[:_MAX_DATE])
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):  # what the standard library raises on broken ones
        return None
    # At the ends of the calendar no local time can be told.
    return moment if MINYEAR < moment.year < MAXYEAR else None
