"""Native JSON: what each field takes, what is forgiven, and how a refusal names every bad field."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.alert import Alert, Link, Severity, Status
from app.httpkit.problems import Problem
from app.intake import schema
from app.intake.formats import native
from app.intake.incoming import Rejected


def read(**fields: Any) -> Alert:
    (alert,) = native.read({"subject": "Disk full", **fields}).alerts
    return alert


def refusal(document: object) -> Problem:
    with pytest.raises(Rejected) as caught:
        native.read(document)
    return caught.value.problem


def pointers(document: object) -> list[str]:
    problem = refusal(document)
    assert problem.status == 422
    return [error.pointer for error in problem.errors]


def test_subject_alone_is_an_alert() -> None:
    """Everything but the subject has a default."""
    assert read() == Alert(subject="Disk full", severity=Severity.WARNING, status=Status.FIRING)


def test_every_field_arrives() -> None:
    """What is sent under the native names is what the alert holds."""
    alert = read(
        content="/var is at 97 %",
        severity="critical",
        status="resolved",
        source="cron",
        key="disk-web1",
        labels={"host": "web1"},
        starts_at="2025-01-31T08:15:00Z",
        ends_at="2025-01-31T09:15:00+01:00",
        links=["https://example.org/d/1", {"url": "mailto:ops@example.org", "title": "Ops"}],
    )

    assert alert == Alert(
        subject="Disk full",
        content="/var is at 97 %",
        severity=Severity.CRITICAL,
        status=Status.RESOLVED,
        source="cron",
        key="disk-web1",
        labels={"host": "web1"},
        starts_at=datetime(2025, 1, 31, 8, 15, tzinfo=UTC),
        ends_at=datetime(2025, 1, 31, 8, 15, tzinfo=UTC),
        links=(Link("https://example.org/d/1"), Link("mailto:ops@example.org", "Ops")),
    )


def test_null_counts_as_not_given() -> None:
    """Tools that print every field, set or not, are understood."""
    nothing = dict.fromkeys(schema.NativeAlert.model_fields.keys() - {"subject"})

    assert read(**nothing) == read()


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        pytest.param("severity", " Critical\n", Severity.CRITICAL, id="severity-in-any-case"),
        pytest.param("status", "RESOLVED", Status.RESOLVED, id="status-in-any-case"),
        pytest.param("labels", {"n": 3}, {"n": "3"}, id="label-integer"),
        pytest.param("labels", {"n": 0.5}, {"n": "0.5"}, id="label-float"),
        pytest.param("labels", {"n": True}, {"n": "true"}, id="label-bool"),
        pytest.param("labels", {"n": None}, {"n": ""}, id="label-null"),
        pytest.param("labels", {" a\nb ": "c\r\nd"}, {"a b": "c d"}, id="label-on-one-line"),
        pytest.param("starts_at", "2025-01-31 08:15", datetime(2025, 1, 31, 8, 15, tzinfo=UTC), id="naive-is-utc"),
        pytest.param("starts_at", 1738311300, datetime(2025, 1, 31, 8, 15, tzinfo=UTC), id="unix-time"),
        pytest.param("content", "a\r\nb\rc\0", "a\nb\nc\ufffd", id="content-line-ends-and-nul"),
        pytest.param("content", "x" * 262_144, "x" * 262_144, id="content-of-256-KiB"),
        pytest.param("source", "a\0b", "a b", id="source-nul"),
        pytest.param("links", ["https://h/a b"], (Link("https://h/a%20b"),), id="url-with-blank"),
        pytest.param("subject", "s" * 500, "s" * 500, id="subject-of-500"),
        pytest.param("subject", "a\r\nBcc: x@example.org", "a Bcc: x@example.org", id="header-injection"),
    ],
)
def test_field_is_cleaned(field: str, given: object, kept: object) -> None:
    """Slips of form cost nothing; no control character reaches a header."""
    assert getattr(read(**{field: given}), field) == kept


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        pytest.param("subject", "", "/subject", id="subject-empty"),
        pytest.param("subject", " \r\n\0", "/subject", id="subject-blank"),
        pytest.param("subject", "s" * 501, "/subject", id="subject-long"),
        pytest.param("subject", 5, "/subject", id="subject-number"),
        pytest.param("subject", None, "/subject", id="subject-null"),
        pytest.param("content", ["x"], "/content", id="content-list"),
        pytest.param("content", "x" * 262_145, "/content", id="content-long"),
        pytest.param("content", "é" * 131_073, "/content", id="content-long-in-bytes"),
        pytest.param("severity", "bad", "/severity", id="severity-unknown"),
        pytest.param("severity", 3, "/severity", id="severity-number"),
        pytest.param("status", "open", "/status", id="status-unknown"),
        pytest.param("source", "s" * 257, "/source", id="source-long"),
        pytest.param("key", "k" * 513, "/key", id="key-long"),
        pytest.param("labels", ["a"], "/labels", id="labels-list"),
        pytest.param("labels", {str(n): "" for n in range(65)}, "/labels", id="labels-many"),
        pytest.param("labels", {"": "x"}, "/labels/", id="label-without-name"),
        pytest.param("labels", {"a/b~": []}, "/labels/a~1b~0", id="label-of-wrong-type"),
        pytest.param("labels", {"a": "v" * 1025}, "/labels/a", id="label-long"),
        pytest.param("starts_at", "yesterday", "/starts_at", id="time-in-words"),
        pytest.param("ends_at", "0001-01-01T00:00:00+14:00", "/ends_at", id="time-before-all"),
        pytest.param("starts_at", float("inf"), "/starts_at", id="time-infinite"),
        pytest.param("links", "https://h/", "/links", id="links-string"),
        pytest.param("links", ["javascript:alert(1)"], "/links/0", id="link-script"),
        pytest.param("links", ["https://h/", "/relative"], "/links/1", id="link-relative"),
        pytest.param("links", ["http://[broken"], "/links/0", id="link-broken"),
        pytest.param("links", ["https://h/" + "x" * 2048], "/links/0", id="link-long"),
        pytest.param("links", [{"title": "no url"}], "/links/0", id="link-without-url"),
        pytest.param("links", ["https://h/"] * 17, "/links", id="links-many"),
    ],
)
def test_bad_field_is_named(field: str, value: object, pointer: str) -> None:
    """A wrong field is 422, with the place of the fault."""
    assert pointers({"subject": "Disk full", field: value}) == [pointer]


def test_every_bad_field_is_named_at_once() -> None:
    """One answer is enough to mend them all."""
    found = pointers({"content": 1, "severity": "x", "labels": {"a": [], "b": {}}})

    assert found == ["/subject", "/content", "/severity", "/labels/a", "/labels/b"]


def test_refusal_repeats_no_value() -> None:
    """A value may be a secret, and answers end up in logs."""
    problem = refusal({"subject": "", "severity": "canary", "starts_at": "canary", "links": ["canary"]})

    assert len(problem.errors) == 4
    assert "canary" not in repr(problem)


@pytest.mark.parametrize("document", ["text", 5, None, True, {}, {"title": "x"}, []])
def test_json_that_is_no_alert_is_refused_with_what_is_needed(document: object) -> None:
    """Valid JSON without an alert in it is 422, never 400."""
    problem = refusal(document)

    assert problem.status == 422
    assert "subject" in problem.detail or "1 to 1000" in problem.detail


def test_unknown_fields_are_kept_and_named() -> None:
    """A field too many never costs an alert."""
    reading = native.read({"subject": "x", "host": "web1", "load": {"1m": 0.5}})

    assert reading.alerts[0].extra == {"host": "web1", "load": {"1m": 0.5}}
    assert reading.warnings == ("unknown fields, kept and shown below the text: host, load",)


def test_very_many_unknown_fields_are_counted() -> None:
    """The answer stays short; the alert holds them all."""
    reading = native.read({"subject": "x"} | {f"f{n}": n for n in range(100)})

    assert len(reading.alerts[0].extra) == 100
    assert reading.warnings[0].endswith("f19 and 80 more")


@pytest.mark.parametrize("field", ["subject", "content", "source", "key"])
def test_replaced_characters_are_told(field: str) -> None:
    """Whoever sends NUL learns that it did not arrive."""
    reading = native.read({"subject": "x", field: "a\0b"})

    assert reading.warnings == (f"{field}: control characters or lone surrogates were replaced",)


def test_trimming_is_not_worth_a_warning() -> None:
    """White space around a text and the line ends of Windows are ordinary."""
    assert native.read({"subject": " x ", "content": "a\r\nb\r\n"}).warnings == ()


def test_array_gives_its_alerts_in_order() -> None:
    """An array is a batch, be it of one."""
    reading = native.read([{"subject": "a"}, {"subject": "b"}])

    assert [alert.subject for alert in reading.alerts] == ["a", "b"]
    assert reading.is_batch
    assert native.read([{"subject": "a"}]).is_batch


def test_one_bad_alert_of_a_thousand_is_named_by_its_index() -> None:
    """Nothing is taken, and the sender knows which one to mend."""
    alerts: list[object] = [{"subject": "x"}] * 1_000
    alerts[417] = {"subject": "x", "severity": "x"}

    assert pointers(alerts) == ["/417/severity"]


def test_element_that_is_no_object_is_named() -> None:
    """Every bad element has an error of its own."""
    assert pointers([{"subject": "x"}, "text", {}]) == ["/1", "/2/subject"]


@pytest.mark.parametrize("count", [0, 1_001])
def test_array_has_bounds(count: int) -> None:
    """Nothing to take is an error, and so is more than one commit should hold."""
    problem = refusal([{"subject": "x"}] * count)

    assert problem.status == 422
    assert f"this one has {count}" in problem.detail


def test_warning_of_a_batch_comes_once() -> None:
    """A thousand alerts with one trouble make one warning."""
    reading = native.read([{"subject": "a\0b", "host": n} for n in range(1_000)])

    assert len(reading.warnings) == 2


def test_schema_is_told_to_clients() -> None:
    """The OpenAPI document describes a native alert, with its bounds."""
    properties = schema.NativeAlert.model_json_schema()["properties"]

    assert properties["subject"]["maxLength"] == schema.MAX_SUBJECT
    own = {"answers", "extra", "notes", "receivers", "also_routed", "severity_is_assumed"}
    assert set(properties) == set(Alert.__dataclass_fields__) - own
