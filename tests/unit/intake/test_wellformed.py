"""The short way for native JSON reads just what the careful way reads, or leaves it to that."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake import wellformed
from app.intake.formats import native
from app.intake.incoming import Rejected

TEXTS = st.text(max_size=40) | st.sampled_from(["disk full", " padded ", "a\nb", "\ta", "a\u2028b", "\x85", "é", ""])
VALUES = TEXTS | st.integers() | st.none() | st.sampled_from(["error", "ERROR", "resolved"])
FIELDS = st.sampled_from(["content", "severity", "status", "source", "key", "links", "other"])
ALERTS = st.builds(
    lambda subject, rest, labels: {"subject": subject, **rest, "labels": labels},
    TEXTS,
    st.dictionaries(FIELDS, VALUES, max_size=4),
    st.dictionaries(TEXTS, VALUES, max_size=3),
)


def careful(document: Any) -> native.Reading | None:
    try:
        return native.read(document)
    except Rejected:
        return None


@given(ALERTS | st.lists(ALERTS, max_size=3))
def test_it_agrees_with_the_careful_way(document: Any) -> None:
    """Whatever the short way reads, the careful way reads alike, without a warning."""
    reading = wellformed.read(json.dumps(document).encode())
    if reading is not None:
        assert reading == careful(document)


@pytest.mark.parametrize(
    "document",
    [
        {"subject": "disk full"},
        {"subject": "Füllstand", "content": "erste\nzweite\tZeile", "severity": "critical", "status": "resolved"},
        {"subject": "x", "source": "node", "labels": {"host": "db1"}, "key": "k"},
        [{"subject": "one"}, {"subject": "two"}],
    ],
    ids=["subject alone", "unicode", "labels", "array"],
)
def test_it_takes_what_programs_send(document: Any) -> None:
    """Ordinary alerts go the short way."""
    assert wellformed.read(json.dumps(document).encode()) == careful(document)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xef\xbb\xbf" + b'{"subject": "bom"}',
        b'{"subject": "bad byte \xff"}',
        b'{"subject": "lone \\ud800"}',
        b'{"subject": "two\\nlines"}',
        b'{"subject": "x", "unknown": 1}',
        b'{"subject": "x", "severity": "ERROR"}',
        b'{"subject": "x", "content": "a\\r\\nb"}',
        b'{"content": "no subject"}',
        b"[" * 10_000,
        b'{"subject": "' + b"x" * 501 + b'"}',
        b"[" + b",".join([b'{"subject": "x"}'] * 1001) + b"]",
    ],
    ids=str,
)
def test_it_leaves_the_rest_to_the_careful_way(body: bytes) -> None:
    """What must be repaired, warned of or refused is not read here."""
    assert wellformed.read(body) is None
