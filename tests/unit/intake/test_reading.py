"""The way from a body to its format, and promises that hold for every body."""

import json
from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.alert import Alert
from app.intake.formats import native
from app.intake.incoming import Rejected
from app.intake.payloads import NOT_JSON
from app.intake.reading import may_hold_attachments, read_alerts
from app.intake.registry import all_formats
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming
from tests.support.multipart_body import CONTENT_TYPE, body_of, form_with_file, part

CURL = "application/x-www-form-urlencoded"
LIMITS = SizeLimits(body=1 << 20, attachments=1 << 20)


def alert(body: bytes, content_type: str) -> Alert:
    return read_alerts(incoming(body, content_type), LIMITS).alerts[0]


def status(body: bytes, content_type: str) -> int:
    with pytest.raises(Rejected) as caught:
        read_alerts(incoming(body, content_type), LIMITS)
    return caught.value.problem.status


@pytest.mark.parametrize("content_type", [CURL, ""], ids=["curl", "unsaid"])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b'{"subject": "x"}', Alert(subject="x"), id="json"),
        pytest.param(b'\xef\xbb\xbf [{"subject": "x"}]', Alert(subject="x"), id="json-after-a-mark"),
        pytest.param(b'{"subject": "\\ud800"}', Alert(subject="\ufffd"), id="json-repaired"),
        pytest.param(b"subject=a+b&content=c", Alert(subject="a b", content="c"), id="form"),
        pytest.param(b"50%+ a=1&b=2", Alert(subject="50%+ a=1&b=2", content="50%+ a=1&b=2"), id="verbatim-text"),
        pytest.param(b"[warn] x", Alert(subject="[warn] x", content="[warn] x"), id="text-in-brackets"),
        pytest.param(b"{broken", Alert(subject="{broken", content="{broken"), id="text-in-braces"),
        pytest.param(b"[{pid 7}] x", Alert(subject="[{pid 7}] x", content="[{pid 7}] x"), id="both"),
        pytest.param(b'"x"', Alert(subject='"x"', content='"x"'), id="json-string-is-text"),
        pytest.param(b"[" * 9, Alert(subject="[" * 9, content="[" * 9), id="brackets"),
    ],
)
def test_body_without_a_type_is_json_or_form_or_text(body: bytes, content_type: str, expected: Alert) -> None:
    """What `curl -d` sends is read as what it shows itself to be."""
    assert alert(body, content_type) == expected


@pytest.mark.parametrize(
    "body",
    [b'{\n  "text": "core: "web" failed"\n}', b'[\n {"id": 1,\n"title": "core: "web" failed"}]'],
    ids=["object", "array"],
)
def test_broken_json_without_a_type_is_told_and_has_a_subject(body: bytes) -> None:
    """`curl -d` of a template with an unescaped quote: the subject is what the text says, and not its first line."""
    reading = read_alerts(incoming(body, CURL, b"severity=error"), LIMITS)
    (made,) = reading.alerts
    assert (made.subject, made.severity, made.content) == ('core: "web" failed', "error", body.decode())
    assert (reading.understood, reading.warnings) == (False, (NOT_JSON,))


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=utf-8", "application/vnd.example+json", "text/json"],
)
def test_json_types_are_json(content_type: str) -> None:
    """RFC 6839: a type that ends in +json is JSON."""
    assert alert(b'{"subject": "x"}', content_type) == Alert(subject="x")


@pytest.mark.parametrize("content_type", ["text/plain", "text/html", "TEXT/X-LOG; charset=utf-8"])
def test_text_types_are_verbatim_text(content_type: str) -> None:
    """Who says text means text, even where it looks like JSON."""
    assert alert(b'{"subject": "x"}', content_type).content == '{"subject": "x"}'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"", "application/json", id="json"),
        pytest.param(b"", CURL, id="unsaid"),
        pytest.param(b" \n", "text/plain", id="text"),
        pytest.param(b"", "image/png", id="image"),
        pytest.param(b"--b--\r\n", "multipart/form-data; boundary=b", id="multipart"),
    ],
)
def test_what_is_empty_is_refused(body: bytes, content_type: str) -> None:
    """There is nothing to tell anybody."""
    assert status(body, content_type) == 422


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b'{"text": "a "quote""}', "application/json", id="broken-json"),
        pytest.param(b"[" * 100_000, "application/json", id="deep"),
        pytest.param(b'"x"', "application/json", id="scalar"),
        pytest.param(b'{"wibble": {"wobble": "x"}}', "application/json", id="other-object"),
        pytest.param(b'{"wibble": "x"}', CURL, id="other-object-by-curl"),
        pytest.param(b"x", "multipart/form-data; boundary=b", id="broken-multipart"),
        pytest.param(b"--b\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b", id="multipart-of-nothing"),
        pytest.param(b"x", "multipart/mixed; boundary=b", id="other-multipart"),
        pytest.param(b"x", "application/octet-stream", id="binary"),
        pytest.param(b"\x89PNG", "image/png", id="image"),
        pytest.param(b"x", "json", id="no-type-at-all"),
    ],
)
def test_what_no_format_knows_is_mailed_raw(body: bytes, content_type: str) -> None:
    """No unknown body is lost: it has a subject, what came is readable or attached, and the sender is told."""
    reading = read_alerts(incoming(body, content_type), LIMITS)
    (made,) = reading.alerts
    assert not reading.understood
    assert any("mailed as it came" in warning for warning in reading.warnings)
    assert made.content or [file.data for file in made.attachments] == [body]


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        pytest.param(b"{", "application/json", 400, id="broken"),
        pytest.param(b'{"subject": "a "b""}', CURL, 400, id="broken-by-curl"),
        pytest.param(b'{"title": "x"}', "application/json", 422, id="no-subject"),
        pytest.param(b"x", "text/plain", 422, id="text"),
        pytest.param(b"x", "multipart/form-data; boundary=b", 400, id="broken-multipart"),
    ],
)
def test_the_native_url_is_strict(body: bytes, content_type: str, expected: int) -> None:
    """Whoever writes for it wants to hear of mistakes."""
    with pytest.raises(Rejected) as caught:
        read_alerts(incoming(body, content_type), LIMITS, named=native.FORMAT)
    assert caught.value.problem.status == expected


@pytest.mark.parametrize("name", ["form", "gatus", "ntfy", "text", "alertmanager"])
@pytest.mark.parametrize("body", [b'{"text": "a "quote""}', b'{"a": 1}', b"<a/>", b"0"])
def test_a_named_format_loses_nothing_either(name: str, body: bytes) -> None:
    """Only the native URL is strict: what another cannot read is mailed as it came."""
    reading = read_alerts(incoming(body, "application/json"), LIMITS, named=all_formats()[name])
    assert reading.alerts


def test_markup_has_a_subject_of_its_own() -> None:
    """Not the line that says it is XML."""
    body = b'<?xml version="1.0"?>\n<event><title>Disk full</title></event>'
    assert alert(body, "application/xml").subject == "Disk full"


def test_a_native_alert_with_wrong_fields_is_refused_everywhere() -> None:
    """A subject makes it native."""
    assert status(b'{"subject": "x", "severity": "bad"}', "application/json") == 422


def test_form_with_files_is_read_by_its_type() -> None:
    """`curl -F` gets its file attached."""
    made = alert(form_with_file("Hi", "a.bin", b"\0\xff"), CONTENT_TYPE)
    assert (made.subject, [file.data for file in made.attachments]) == ("Hi", [b"\0\xff"])


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json; charset=utf-8", True),
        ("application/vnd.example+json", True),
        (CONTENT_TYPE, True),
        ("multipart/mixed; boundary=b", True),
        ("image/png", True),
        (CURL, False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_only_what_may_carry_files_may_be_large(content_type: str, expected: bool) -> None:
    """A text is no attachment."""
    assert may_hold_attachments({b"content-type": content_type.encode()}) is expected


def test_warnings_of_repair_come_with_those_of_the_alert() -> None:
    """The sender sees every change at once."""
    reading = read_alerts(incoming(b'\xef\xbb\xbf{"subject": "x", "host": 1}', "application/json"), LIMITS)

    assert len(reading.warnings) == 2


TYPES = st.sampled_from(
    [
        CURL,
        "",
        "application/json",
        "text/plain",
        "text/plain; charset=utf-16",
        "application/json; charset=gbk",
        CONTENT_TYPE,
    ]
) | st.text(max_size=30)
TEXTS = st.text(st.characters(), max_size=40)  # lone surrogates and controls among them
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
ATTACHMENT = st.fixed_dictionaries(
    {"content": st.binary(max_size=9).map(lambda data: b64encode(data).decode())},
    optional={"name": TEXTS, "content_type": TEXTS},
)
NATIVE = st.fixed_dictionaries(
    {"subject": TEXTS},
    optional={
        "content": TEXTS,
        "source": TEXTS,
        "key": TEXTS,
        "labels": st.dictionaries(TEXTS, st.none() | st.booleans() | st.floats() | st.integers() | TEXTS, max_size=3),
        "links": st.lists(TEXTS.map("https://h/".__add__), max_size=2),
        "starts_at": st.datetimes().map(str) | st.floats(),
        "else": VALUES,
        "attachments": st.lists(ATTACHMENT, max_size=3),
    },
)
BODIES = st.one_of(
    st.binary(max_size=300),
    (NATIVE | VALUES | st.lists(NATIVE, max_size=3)).map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=50).map(b"subject=".__add__),
    st.lists(st.builds(part, st.binary(max_size=30).map(b"filename=".__add__), st.binary(max_size=30)), max_size=3)
    .map([part("name=subject", b"x")].__add__)
    .map(body_of),
)
LIMITS_OF_ALL_KINDS = st.builds(SizeLimits, body=st.integers(1, 400), attachments=st.integers(0, 20))


@given(
    body=BODIES,
    content_type=TYPES,
    query=st.binary(max_size=60),
    title=st.binary(max_size=60),
    limits=LIMITS_OF_ALL_KINDS,
)
@example(body=b'{"subject":"a","starts_at":1e999}', content_type="", query=b"", title=b"", limits=LIMITS)
@example(body=b"\0\xff", content_type="", query=b"filename=%ff%00%0a/..", title=b"", limits=LIMITS)
@example(body=b'{"subject":"\x81\xff"}', content_type="application/json", query=b"", title=b"", limits=LIMITS)
def test_any_body_is_read_or_rejected(
    body: bytes, content_type: str, query: bytes, title: bytes, limits: SizeLimits
) -> None:
    """No input raises anything else, and what comes out is safe for headers, journal and mail."""
    with suppress(Rejected):
        for made in read_alerts(incoming(body, content_type, query, title=title), limits).alerts:
            assert_is_clean(made)
            assert sum(file.size_bytes for file in made.attachments) <= limits.attachments


def assert_is_clean(made: Alert) -> None:
    lines = [made.subject, made.source, made.key, *made.labels, *made.labels.values()]
    lines += [line for link in made.links for line in (link.url, link.title)]
    lines += [line for file in made.attachments for line in (file.name, file.content_type)]
    assert 1 <= len(made.subject) <= 500
    assert all(len(line.splitlines()) <= 1 and "\0" not in line for line in lines)
    assert len(made.content.encode()) <= 256 * 1024
    "".join(lines).encode()
    json.dumps(dict(made.extra), ensure_ascii=False, allow_nan=False).encode()
