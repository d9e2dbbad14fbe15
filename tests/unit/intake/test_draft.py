"""The draft: whatever a tool says becomes an alert that journal, headers and mail can hold."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.domain.alert import Alert, Link, Severity
from app.intake.attachments import Upload
from app.intake.draft import NO_SUBJECT, draft
from app.intake.lenient import first_text, moment_of, number_of, objects_of, text_of, texts_of
from app.intake.severities import severity_of

TEXTS = st.text(st.characters(), max_size=60)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@given(
    subject=TEXTS,
    content=TEXTS,
    labels=st.dictionaries(TEXTS, VALUES, max_size=4),
    extra=st.dictionaries(TEXTS, VALUES, max_size=4),
    links=st.lists(st.tuples(TEXTS | TEXTS.map("https://h/".__add__), TEXTS), max_size=3),
)
def test_anything_makes_a_clean_alert(
    subject: str, content: str, labels: dict[str, object], extra: dict[str, object], links: list[tuple[str, str]]
) -> None:
    """Nothing raises, and one-line fields are one line."""
    alert = draft(subject=subject, content=content, labels=labels, extra=extra, links=links, key=subject)
    lines = [alert.subject, alert.key, *alert.labels, *alert.labels.values(), *(link.title for link in alert.links)]
    assert 1 <= len(alert.subject) <= 500
    assert all(len(line.splitlines()) <= 1 for line in lines)
    json.dumps([dict(alert.labels), dict(alert.extra)], ensure_ascii=False, allow_nan=False).encode()


def test_the_subject_is_found_in_the_content() -> None:
    """The first line that says something."""
    assert draft(subject=" ", content="\n\ndisk full\nmore").subject == "disk full"
    assert draft(subject="").subject == NO_SUBJECT


def test_what_is_too_long_is_cut_and_told() -> None:
    """The mail says that there was more."""
    alert = draft(subject="s" * 600, content="c" * 300_000, key="k" * 600, files=[Upload("f", "", b"x")] * 21)
    assert (len(alert.subject), len(alert.key), len(alert.attachments)) == (500, 512, 20)
    assert len(alert.content) <= 256 * 1024
    assert len(alert.notes) == 3


def test_labels_that_are_none_go_to_the_extra_fields() -> None:
    """Too many, too long, or no text: nothing disappears."""
    labels = {"a": "1", "b": True, "c": {"d": 1}, "e": "v" * 2000}
    alert = draft(subject="x", labels=labels)
    assert alert.labels == {"a": "1", "b": "true"}
    assert alert.extra == {"labels.c": {"d": 1}, "labels.e": "v" * 2000}
    many = draft(subject="x", labels={f"l{number}": "" for number in range(70)})
    assert (len(many.labels), len(many.extra)) == (64, 6)


def test_links_that_no_mail_should_offer_are_dropped() -> None:
    """And none stands there twice."""
    links = [("javascript:alert(1)", ""), ("https://h/1", "Graph"), ("https://h/1", "again"), ("", "")]
    assert draft(subject="x", links=links).links == (Link("https://h/1", "Graph"),)


def test_nothing_given_is_a_plain_alert() -> None:
    """A draft adds nothing by itself."""
    assert draft(subject="x") == Alert(subject="x", severity_is_assumed=True)


def test_lenient_values() -> None:
    """What fits is taken, and anything else is empty."""
    assert [text_of(value) for value in ("a", 1, 1.5, True, None, [], {})] == ["a", "1", "1.5", "true", "", "", ""]
    assert first_text({"a": " ", "b": 0, "c": "x"}, "a", "b", "c") == "0"
    assert texts_of(["a", "", None, 1]) == ["a", "1"]
    assert objects_of([{"a": 1}, 2]) == [{"a": 1}]
    assert [number_of(value) for value in ("1.5", 2, True, "nan", "x", None, 10**400)] == [1.5, 2, *[None] * 5]


def test_moments_are_read_in_the_forms_of_tools() -> None:
    """RFC 3339, seconds and milliseconds; never stands for none."""
    at = datetime(2026, 11, 22, 21, tzinfo=UTC)
    seconds = int(at.timestamp())
    same = [
        "2026-11-22T21:00:00Z",
        "2026-11-22T22:00:00.000000000+01:00",
        "2026-11-22 21:00:00",
        seconds,
        seconds * 1000,
    ]
    assert [moment_of(value) for value in [*same, str(seconds)]] == [at] * 6
    nothing = ["0001-01-01T00:00:00Z", 0, "", None, "soon", 1e308, "9999-12-31T23:59:59-12:00", {}, "1" * 100]
    assert [moment_of(value) for value in nothing] == [None] * 9


def test_severities_of_tools() -> None:
    """Words that are not known are the default."""
    words = ("CRITICAL", " page ", "high", "average", "Information", "wibble")
    assert [severity_of(word) for word in words] == [
        Severity.CRITICAL,
        Severity.CRITICAL,
        Severity.ERROR,
        Severity.WARNING,
        Severity.INFO,
        Severity.WARNING,
    ]
    assert severity_of("wibble", Severity.INFO) is Severity.INFO
