"""Many alerts in one body: read one by one, within the bound of one transaction, and none of them lost."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.domain.alert import Alert, Status
from app.intake.draft import draft
from app.intake.format import NotUnderstood
from app.intake.formats.native import MAX_ALERTS

UNREADABLE = "Alert that is no JSON object"

_on_one_line = json.JSONEncoder(ensure_ascii=False)
# Of a list as a whole: one by one, the 80,000 small objects that a body can hold would take a fifth of a second.
_by_lines = json.JSONEncoder(ensure_ascii=False, separators=(",\n", ": "))


def read_each(items: Sequence[Any], read: Callable[[Mapping[str, Any]], Alert]) -> tuple[Alert, ...]:
    """Return the alert of each item, in order. Raises NotUnderstood if there is none.

    An item that is no object is mailed as it came. Of more than `MAX_ALERTS` the first are read, and one more alert
    tells how many came after them, and shows them.
    """
    if not items:
        raise NotUnderstood("the list of alerts is empty")
    if len(items) <= MAX_ALERTS:
        return tuple(_alert(item, read) for item in items)
    taken = tuple(_alert(item, read) for item in items[: MAX_ALERTS - 1])
    return (*taken, _rest(taken, items[MAX_ALERTS - 1 :]))


def _alert(item: object, read: Callable[[Mapping[str, Any]], Alert]) -> Alert:
    return read(item) if isinstance(item, dict) else draft(subject=UNREADABLE, content=as_json(item))


def _rest(taken: Sequence[Alert], left: Sequence[object]) -> Alert:
    """One-shot, as bad as the worst of those that were taken: what it stands for may be as bad."""
    count = len(left)
    return draft(
        subject=f"{count} more alerts came in one message",
        content=f"One message may hold {MAX_ALERTS} alerts. These {count} came after them:\n\n"
        + _by_lines.encode(left),
        severity=max((alert.severity for alert in taken), key=lambda severity: severity.rank),
        status=Status.FIRING,
        source=taken[-1].source,
    )


def as_json(value: object) -> str:
    """Return a JSON value as it stands in a mail: on one line."""
    return _on_one_line.encode(value)
