"""No body keeps the daemon busy: what a format does takes time in proportion to the body."""

import json

import pytest

from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming
from tests.support.tool_payloads import document, names

LIMITS = SizeLimits(body=16 << 20, attachments=0)
LONG = 100_000  # characters in every text of the body; at the square of that a test would run for hours


def filled(value: object, text: str) -> object:
    """Return the document with the text behind each of its own."""
    match value:
        case dict():
            return {name: filled(item, text) for name, item in value.items()}
        case list():
            return [filled(item, text) for item in value]
        case str():
            return value + text
        case _:
            return value


@pytest.mark.parametrize("piece", ["- ", "<", "|", "*_", "[(", "a@", "{{"])
@pytest.mark.parametrize("name", names())
def test_long_texts_are_read(name: str, piece: str) -> None:
    """Each of its texts made long, with what its patterns may stumble over."""
    body = filled(document(name), " " + piece * (LONG // len(piece)) + "x")
    assert read_alerts(incoming(json.dumps(body).encode(), "application/json"), LIMITS).alerts


@pytest.mark.parametrize("piece", ["- ", " ", "-\n"])
def test_a_text_of_gatus_may_end_in_dashes(piece: str) -> None:
    """A megabyte of what empty placeholders leave behind."""
    body = {"text": f"TRIGGERED: {piece * 400_000}x"}
    (alert,) = read_alerts(incoming(json.dumps(body).encode(), "application/json"), LIMITS).alerts
    assert alert.subject.endswith(("x", "…"))
