"""Ids: they grow whatever the clock does, and read the same in and out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.ids import EPOCH_MS, LENGTH, MAX_ID, IdSource, first_id_at, format_id, parse_id

ids = st.integers(0, MAX_ID)
unix_ms = st.integers(0, EPOCH_MS + (1 << 41) - 1)


@given(st.lists(unix_ms, min_size=2))
def test_ids_grow_even_if_the_clock_steps_back(times: list[int]) -> None:
    """Each id is greater than all before it, also before the epoch of the ids."""
    source = IdSource()
    made = [source.next_id(time) for time in times]
    assert made == sorted(set(made))


@given(ids.filter(lambda last: last < MAX_ID), unix_ms)
def test_ids_grow_over_a_restart(last: int, now_ms: int) -> None:
    """A source that goes on from the last id of a journal never repeats one."""
    assert IdSource(last=last).next_id(now_ms) > last


@given(st.integers(EPOCH_MS, EPOCH_MS + (1 << 41) - 2))
def test_ids_begin_with_their_time(now_ms: int) -> None:
    """A range of ids is a range of time, so pruning needs no index over times."""
    made = IdSource().next_id(now_ms)
    assert max(1, first_id_at(now_ms)) <= made < first_id_at(now_ms + 1)


@given(ids)
def test_the_public_form_reads_back(value: int) -> None:
    """Format and parse are each other's inverse."""
    text = format_id(value)
    assert len(text) == LENGTH
    assert parse_id(text) == value
    assert parse_id(text.lower()) == value


@given(ids, ids)
def test_the_public_form_sorts_like_the_number(one: int, other: int) -> None:
    """A list of ids sorted as text is sorted by time."""
    assert (format_id(one) < format_id(other)) == (one < other)


@pytest.mark.parametrize(("misread", "meant"), [("O", "0"), ("o", "0"), ("I", "1"), ("l", "1"), ("L", "1")])
def test_misread_letters_are_forgiven(misread: str, meant: str) -> None:
    """Crockford's base 32 has no I, L, O: who types one meant the digit."""
    assert parse_id("0123456789AB" + misread) == parse_id("0123456789AB" + meant)


NO_IDS = {
    "empty": "",
    "too short": "0" * 12,
    "too long": "0" * 14,
    "over 63 bits": "8" + "0" * 12,
    "not of the alphabet": "U" + "0" * 12,
    "path": "../etc/passwd",
    "sign": "-" + "0" * 12,
    "digits of another script": "٣" * 13,
    "letter that is two in upper case": "0" * 12 + "ß",
    "letter that becomes ASCII in upper case": "0" * 12 + "ı",
}


@pytest.mark.parametrize("text", NO_IDS.values(), ids=NO_IDS.keys())
def test_what_is_no_id_is_none(text: str) -> None:
    """A wrong id is told apart without an exception."""
    assert parse_id(text) is None


@given(st.text(max_size=20))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Whatever stands in a URL, the answer is an id in range or None."""
    value = parse_id(text)
    assert value is None or 0 <= value <= MAX_ID
