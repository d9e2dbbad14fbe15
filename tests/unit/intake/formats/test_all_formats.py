"""What holds for every format: real bodies are told apart, twins share their key, and nothing that JSON can hold
makes one raise."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.alert import Status
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.incoming import IncomingBody, Reading, Rejected
from app.intake.reading import read_alerts
from app.intake.registry import all_formats, recognise
from app.intake.sizes import SizeLimits
from tests.support.tool_payloads import AT, document, format_of, names, payload_of, read_all

LIMITS = SizeLimits(body=2**20, attachments=2**20)
NAMES = names()
TWINS = [name for name in NAMES if name.endswith("-resolved")]
TOOLS = [known for known in all_formats().values() if known.tool]


def words_of(value: object) -> set[str]:
    """Return all names of fields and all texts in a JSON value: those that make a format look closer."""
    match value:
        case dict():
            return set(value).union(*map(words_of, value.values()))
        case list():
            return set[str]().union(*map(words_of, value))
        case str():
            return {value}
        case _:
            return set()


WORDS = st.sampled_from(sorted(set().union(*(words_of(document(name)) for name in NAMES)))) | st.text(max_size=8)
LATIN_1 = st.text(st.characters(max_codepoint=0xFF), max_size=8)  # what header fields hold
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=25,
)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """Return a real body in which some values are replaced by others of any type."""

    def damage(value: Any) -> Any:
        if draw(st.integers(0, 9)) == 0:
            return draw(VALUES)
        match value:
            case dict():
                return {name: damage(inner) for name, inner in value.items()}
            case list():
                return [damage(inner) for inner in value]
            case _:
                return value

    return damage(document(draw(st.sampled_from(NAMES))))


def read_any(known: Format, payload: Payload) -> Reading | None:
    """Return the reading, None if the format says that it is not for it."""
    try:
        return known.read(payload)
    except (NotUnderstood, Rejected):
        return None


def posted(value: object) -> Reading:
    """Return what comes of a JSON body; without alerts if it is refused with a reason."""
    body = json.dumps(value).encode()
    try:
        return read_alerts(IncomingBody(body, {b"content-type": b"application/json"}, at=AT), LIMITS)
    except Rejected:
        return Reading(())


@pytest.mark.parametrize("name", NAMES)
def test_exactly_one_tool_knows_a_real_body(name: str) -> None:
    """No tool's body is taken for that of another."""
    payload = payload_of(document(name))
    assert [known.name for known in TOOLS if known.recognises(payload)] == [format_of(name).name]


def test_every_tool_has_a_real_body() -> None:
    """Whoever adds a format adds what its tool sends."""
    assert {format_of(name).name for name in NAMES} == {known.name for known in TOOLS}


def test_a_body_without_a_format_is_named() -> None:
    """Whoever adds a body under a wrong name is told which there are."""
    with pytest.raises(AssertionError, match=r"wibble-resolved\.json .* no format: name it after one of .* zabbix"):
        format_of("wibble-resolved")


@pytest.mark.parametrize("name", NAMES)
def test_real_body_becomes_an_alert_that_says_what_is_wrong(name: str) -> None:
    """Each has a subject of its own, and comes from somewhere."""
    for alert in read_all(format_of(name).name, document(name)):
        assert alert.subject
        assert alert.subject != "Alert without a subject"
        assert alert.source


@pytest.mark.parametrize("name", TWINS)
def test_resolved_shares_the_key_of_firing(name: str) -> None:
    """What has ended is known to be what had begun: key and labels are its identity."""
    format_name = format_of(name).name
    (firing,) = read_all(format_name, document(name.removesuffix("-resolved")))
    (resolved,) = read_all(format_name, document(name))

    assert (firing.status, resolved.status) == (Status.FIRING, Status.RESOLVED)
    assert firing.key.startswith(f"{format_name}/")
    assert (resolved.key, resolved.labels) == (firing.key, firing.labels)


@settings(max_examples=300)
@given(value=VALUES | damaged())
def test_no_document_makes_a_format_raise(value: object) -> None:
    """Whatever JSON holds, each format tells whether it knows it, and reads it or says that it cannot."""
    payload = payload_of(value)
    for known in all_formats().values():
        known.recognises(payload)
        reading = read_any(known, payload)
        assert reading is None or isinstance(reading.alerts, tuple)


@settings(max_examples=200)
@given(value=VALUES | damaged())
def test_every_document_becomes_alerts_that_the_journal_can_hold(value: object) -> None:
    """Recognised or not, a JSON body ends as alerts of clean text, or is refused with a reason."""
    for alert in posted(value).alerts:
        assert alert.subject == " ".join(alert.subject.splitlines())
        json.dumps([dict(alert.labels), dict(alert.extra), alert.content], ensure_ascii=False).encode()


@settings(max_examples=200)
@given(pairs=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8))
def test_no_form_makes_a_format_raise(pairs: list[tuple[str, str]]) -> None:
    """Fields of a form, in any number and under any name, are read or said to be unknown."""
    payload = Payload(body=b"a=b", document=dict(pairs), pairs=tuple(pairs), at=AT)
    for known in all_formats().values():
        reading = read_any(known, payload)
        assert reading is None or isinstance(reading.alerts, tuple)


@given(headers=st.dictionaries(LATIN_1 | st.just("title"), LATIN_1), body=st.binary())
def test_no_other_body_makes_a_format_raise(headers: dict[str, str], body: bytes) -> None:
    """Bytes that are no document are read or said to be unknown."""
    payload = Payload(body=body, headers=headers, query=headers, text=body.decode("latin-1"), at=AT)
    recognise(payload)
    for known in all_formats().values():
        reading = read_any(known, payload)
        assert reading is None or isinstance(reading.alerts, tuple)
