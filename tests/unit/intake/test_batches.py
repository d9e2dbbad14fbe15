"""Many alerts in one body: each is read, and what is too much for one transaction is told, not lost."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.domain.alert import Alert, Severity, Status
from app.intake.batches import read_each
from app.intake.draft import draft
from app.intake.format import NotUnderstood


def read(item: Mapping[str, Any]) -> Alert:
    return draft(
        subject=str(item["n"]), severity=Severity.ERROR if item["n"] == 7 else Severity.INFO, source="tool", key="k"
    )


def numbered(count: int) -> list[dict[str, int]]:
    return [{"n": number} for number in range(count)]


def test_each_item_is_an_alert() -> None:
    """As many as fit in one transaction come out as they came in, in order."""
    assert [alert.subject for alert in read_each(numbered(1000), read)] == [str(n) for n in range(1000)]


def test_what_is_too_much_is_told_by_the_last_alert() -> None:
    """It counts and shows the others, is as bad as the worst, and is never taken for another."""
    *taken, last = read_each(numbered(1003), read)

    assert [alert.subject for alert in taken] == [str(n) for n in range(999)]
    assert last.subject == "4 more alerts came in one message"
    assert last.content.endswith('[{"n": 999},\n{"n": 1000},\n{"n": 1001},\n{"n": 1002}]')
    assert (last.severity, last.status, last.key, last.source) == (Severity.ERROR, Status.FIRING, "", "tool")


def test_item_that_is_no_object() -> None:
    """It is mailed as it came, and costs the others nothing."""
    odd, even = read_each(["ü", {"n": 1}], read)
    assert (odd.content, even.subject) == ('"ü"', "1")


def test_empty_list() -> None:
    """There is nothing to read."""
    with pytest.raises(NotUnderstood):
        read_each([], read)
