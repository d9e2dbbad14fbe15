"""CloudEvents in all three modes: each event has a name, and what its data says becomes the alert."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.alert import Alert, Severity, Status
from app.intake.formats.native import MAX_ALERTS
from app.intake.incoming import IncomingBody, Reading
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming
from tests.support.tool_payloads import document, read_one

NAME = "cloudevents"
FIRING = document("cloudevents")
RESOLVED = document("cloudevents-resolved")
LIMITS = SizeLimits(body=2**20, attachments=2**20)
BATCH = "application/cloudevents-batch+json"
AT = datetime(2026, 11, 22, 21, tzinfo=UTC)


def posted(value: object, content_type: str = "application/cloudevents+json") -> Reading:
    return read_alerts(incoming(json.dumps(value).encode(), content_type), LIMITS)


def binary(body: bytes, content_type: str, **attributes: str) -> Reading:
    named = {"specversion": "1.0", "id": "A234", "source": "/prom/a", "type": "com.example.alert.firing"} | attributes
    fields = {f"ce-{name}".encode(): value.encode() for name, value in named.items()}
    return read_alerts(IncomingBody(body, fields | {b"content-type": content_type.encode()}), LIMITS)


def test_structured_event() -> None:
    """What it is about and what its data sums up make the subject; the data stays readable."""
    assert read_one(NAME, FIRING) == Alert(
        subject="db1: disk full",
        content='{\n  "summary": "disk full",\n  "severity": "critical"\n}',
        severity=Severity.CRITICAL,
        source="/prom/a",
        labels={"subject": "db1"},
        key="cloudevents//prom/a/com.example.alert/db1",
        starts_at=AT,
        extra={"type": "com.example.alert.firing", "id": "A234"},
    )


def test_type_tells_the_end() -> None:
    """The last word of the type is the status; what comes before it is part of the key."""
    firing, resolved = read_one(NAME, FIRING), read_one(NAME, RESOLVED)
    assert (resolved.status, resolved.ends_at) == (Status.RESOLVED, AT.replace(minute=30))
    assert (resolved.key, resolved.subject, resolved.severity) == (firing.key, firing.subject, firing.severity)


def test_data_tells_status_and_key() -> None:
    """It outweighs the type."""
    made = read_one(NAME, FIRING | {"data": {"status": "ok", "fingerprint": "f1", "labels": {"host": "db1"}}})
    assert (made.status, made.key) == (Status.RESOLVED, "cloudevents//prom/a/f1")
    assert made.labels == {"host": "db1", "subject": "db1"}


def test_what_the_data_sums_up_is_no_part_of_the_key() -> None:
    """It changes from begin to end: 97% full, 41% full."""
    firing = read_one(NAME, FIRING | {"data": {"summary": "disk 97% full"}})
    resolved = read_one(NAME, RESOLVED | {"data": {"summary": "disk 41% full"}})
    assert (firing.key, firing.labels) == (resolved.key, resolved.labels)


def test_other_things_have_other_keys() -> None:
    """What an event is about, its type and its source tell them apart."""
    others = [{"subject": "db2"}, {"type": "com.example.backup.firing"}, {"source": "/prom/b"}]
    keys = {read_one(NAME, FIRING | other).key for other in [{}, *others]}
    assert len(keys) == len(others) + 1


def test_extension_attributes_are_kept() -> None:
    """Whatever stands beside the data is shown, even where it is no text."""
    made = read_one(NAME, FIRING | {"traceparent": "00-a-b-01", "dataschema": "/s", "tenant": {"id": 7}, "none": None})
    assert made.extra == {
        "type": "com.example.alert.firing",
        "id": "A234",
        "traceparent": "00-a-b-01",
        "dataschema": "/s",
        "tenant": {"id": 7},
    }


def test_attributes_that_cannot_be_used_are_kept() -> None:
    """A time that is none, and a subject that is a list."""
    made = read_one(NAME, FIRING | {"time": "yesterday", "subject": ["db1"], "severity": "wibble"})
    assert made.extra.items() >= {"time": "yesterday", "severity": "wibble"}.items()
    assert made.extra["subject"] == ["db1"]


def test_native_fields_beside_the_attributes_count() -> None:
    """A script that wraps its alert into an event loses nothing of it."""
    made = read_one(NAME, FIRING | {"content": "Look at /var.", "severity": "error", "data": {"severity": "info"}})
    assert made.severity is Severity.ERROR
    assert made.content == 'Look at /var.\n\n{\n  "severity": "info"\n}'
    assert set(made.extra) == {"type", "id"}


def test_event_without_a_status_is_a_one_shot() -> None:
    """Nothing would ever resolve it."""
    made = read_one(NAME, FIRING | {"type": "com.example.backup"})
    assert (made.key, made.labels, made.extra["subject"]) == ("", {}, "db1")


def test_event_without_data_is_named_by_its_type() -> None:
    """There is nothing else."""
    bare = {"specversion": "1.0", "id": "1", "source": "/s", "type": "com.example.gone"}
    assert read_one(NAME, bare).subject == "com.example.gone"


def test_source_and_id_are_the_name_of_the_event() -> None:
    """Section 3.1.1 of the specification: the two together are unique."""
    reading = posted(FIRING)
    assert [key.name for key in reading.event_keys] == ["cloudevents//prom/a\0A234"]


def test_what_carriers_add_does_not_make_it_another_event() -> None:
    """Routers put extension attributes at an event each time that they send it."""
    first, again = posted(FIRING), posted(FIRING | {"arrivaltime": "2026-11-22T21:00:05Z"})
    assert first.event_keys == again.event_keys


def test_other_data_is_another_event() -> None:
    """The same name for something else is a mistake that the sender must hear of."""
    assert posted(FIRING).event_keys != posted(FIRING | {"data": "other"}).event_keys


def test_batch() -> None:
    """Each event becomes an alert, and has its name."""
    reading = posted([FIRING, RESOLVED], BATCH)
    assert [alert.status for alert in reading.alerts] == [Status.FIRING, Status.RESOLVED]
    assert len(reading.event_keys) == 2
    assert reading.is_batch


def test_empty_batch() -> None:
    """Section 3.3 of the HTTP binding allows it, and there is nothing to tell."""
    assert posted([], BATCH) == Reading((), is_batch=True)


def test_batch_with_something_else_in_it() -> None:
    """It is mailed too, each time; the events beside it are known again."""
    reading = posted([FIRING, "wibble"], BATCH)
    assert [alert.subject for alert in reading.alerts] == ["db1: disk full", "Alert that is no JSON object"]
    assert reading.event_keys == (*posted(FIRING).event_keys, None)


def test_batch_of_more_than_fit() -> None:
    """All are known again, also the alert that stands for the last ones."""
    events = [{**FIRING, "id": str(number)} for number in range(MAX_ALERTS + 5)]
    keys = posted(events, BATCH).event_keys
    assert (len(keys), None in keys) == (MAX_ALERTS, False)
    assert keys == posted(events, BATCH).event_keys
    other = posted([*events, FIRING], BATCH).event_keys
    assert (keys[:-1], keys[-1] == other[-1]) == (other[:-1], False)


@pytest.mark.parametrize("body", [b'{"a": 1}', b"[{broken"])
def test_batch_that_is_none_is_not_lost(body: bytes) -> None:
    """It is mailed as it came."""
    reading = read_alerts(incoming(body, BATCH), LIMITS)
    assert not reading.understood
    assert reading.alerts


def test_binary_mode() -> None:
    """The attributes stand in the header, the data is the body."""
    body = json.dumps(FIRING["data"]).encode()
    reading = binary(body, "application/json", subject="db1", time="2026-11-22T21:00:00Z")
    assert reading.alerts == (read_one(NAME, FIRING),)
    assert [key.name for key in reading.event_keys] == ["cloudevents//prom/a\0A234"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
def test_binary_mode_keeps_any_text(content_type: str) -> None:
    """Even one that claims to be JSON."""
    (made,) = binary(b"disk full\nmore", content_type).alerts
    assert (made.subject, made.content) == ("disk full", "disk full\nmore")


def test_binary_mode_outweighs_native_fields_in_the_data() -> None:
    """An event is read as one, whatever it carries."""
    (made,) = binary(b'{"subject": "disk full"}', "application/json").alerts
    assert made.extra["id"] == "A234"


def test_attributes_are_percent_encoded() -> None:
    """Section 3.1.3.2: what is no ASCII."""
    (made,) = binary(b"x", "text/plain", subject="F%C3%BCllstand").alerts
    assert made.subject == "Füllstand: x"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param({"data_base64": b64encode("Füll".encode()).decode()}, ("Füll", []), id="text"),
        pytest.param({"data_base64": b64encode(b"\xff\0").decode()}, ("", [b"\xff\0"]), id="file"),
        pytest.param({"data_base64": "no base64!"}, ("no base64!", []), id="broken"),
    ],
)
def test_data_in_base64(event: dict[str, Any], expected: tuple[str, list[bytes]]) -> None:
    """Text is shown, and anything else attached."""
    bare = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
    made = read_one(NAME, bare | event)
    assert (made.content, [file.data for file in made.attachments]) == expected


def test_binary_mode_attaches_a_file() -> None:
    """An image is no text."""
    (made,) = binary(b"\x89PNG", "image/png").alerts
    assert [(file.content_type, file.data) for file in made.attachments] == [("image/png", b"\x89PNG")]


def test_native_alert_is_no_event() -> None:
    """Both have a subject."""
    assert read_alerts(incoming(b'{"subject": "x", "type": "t"}', "application/json"), LIMITS).event_keys == ()


@pytest.mark.parametrize(
    ("data", "body", "content_type"),
    [
        ({"data": {"b": 1, "a": [2]}}, b'{"a":[2], "b":1}', "application/json"),
        ({"data": "disk full"}, b"disk full", "text/plain"),
        ({"data_base64": b64encode("Füll".encode()).decode()}, "Füll".encode(), "text/plain"),
        ({"data_base64": b64encode(b"\x89PNG\xff").decode()}, b"\x89PNG\xff", "image/png"),
    ],
    ids=["JSON", "text", "base64", "file"],
)
def test_an_event_is_the_same_in_every_mode(data: dict[str, Any], body: bytes, content_type: str) -> None:
    """A carrier may unpack it, or put it into a batch; one bit of data more makes it another."""
    event = {"specversion": "1.0", "id": "A234", "source": "/prom/a", "type": "com.example.alert.firing"} | data
    in_header = binary(body, content_type).event_keys
    assert in_header == posted(event).event_keys == posted([event], BATCH).event_keys
    assert in_header != binary(body + b" x", "text/plain").event_keys
