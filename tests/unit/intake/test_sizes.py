"""How much a body may hold, beside attachments and in them."""

import json
from base64 import b64encode, encodebytes
from collections.abc import Callable
from typing import Any

import pytest

from app.intake.incoming import Reading, Rejected
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming
from tests.support.multipart_body import CONTENT_TYPE, body_of, part

KIB = 1024
LIMITS = SizeLimits(body=KIB, attachments=10 * KIB)
JSON = "application/json"
SUBJECT = part("name=subject", b"x")


def file(size: int) -> dict[str, str]:
    return {"content": b64encode(b"\xfb\xff" * (size // 2)).decode()}


def read(document: Any, limits: SizeLimits = LIMITS) -> Reading:
    return read_alerts(incoming(json.dumps(document).encode(), JSON), limits)


def read_parts(*parts: bytes, limits: SizeLimits = LIMITS) -> Reading:
    return read_alerts(incoming(body_of(parts), CONTENT_TYPE), limits)


def refusal(act: Callable[[], Reading]) -> str:
    with pytest.raises(Rejected) as caught:
        act()
    assert caught.value.problem.status == 413
    return caught.value.problem.detail


def test_attachments_stand_beside_the_fields() -> None:
    """A body far over the limit of fields is taken if the rest of it is attachments of just their limit."""
    (alert,) = read({"subject": "x", "attachments": [file(5 * KIB), file(5 * KIB)]}).alerts
    assert sum(attachment.size_bytes for attachment in alert.attachments) == 10 * KIB


def test_each_alert_may_have_as_much() -> None:
    """The limit holds for an alert, not for the array."""
    reading = read([{"subject": "x", "attachments": [file(6 * KIB)]}] * 2)
    assert len(reading.alerts) == 2


@pytest.mark.parametrize(
    "act",
    [
        lambda: read({"subject": "x", "attachments": [file(10 * KIB), file(2)]}),
        lambda: read([{"subject": "x"}, {"subject": "x", "attachments": [file(11 * KIB)]}]),
        lambda: read_parts(SUBJECT, part("name=f; filename=a", b"x" * 10 * KIB), part("name=f; filename=b", b"x")),
    ],
    ids=["JSON", "array", "multipart"],
)
def test_attachments_over_their_limit_are_413(act: Callable[[], Reading]) -> None:
    """The answer names the limit and its setting."""
    detail = refusal(act)
    assert "attachments of one alert may hold at most 10240 bytes" in detail
    assert "http.attachments_limit" in detail


@pytest.mark.parametrize(
    "act",
    [
        lambda: read({"subject": "x", "host": "h" * KIB}),
        lambda: read([{"subject": "x", "host": "h" * 600, "attachments": [file(KIB)]}] * 2),
        lambda: read([0] * 2 * KIB),
        lambda: read_parts(SUBJECT, part("name=host", b"h" * KIB)),
    ],
    ids=["JSON", "array", "many values", "multipart"],
)
def test_fields_over_their_limit_are_413(act: Callable[[], Reading]) -> None:
    """The room for attachments is for nothing else."""
    assert "without its attachments may hold at most 1024 bytes" in refusal(act)


@pytest.mark.parametrize("text", [b"[],", b"{},", b"[", b'"\\n",'], ids=["lists", "objects", "depth", "escapes"])
def test_json_that_would_cost_far_more_than_its_bytes_is_not_parsed(text: bytes) -> None:
    """Lists of nothing take twenty times their length in memory; a text that is no JSON is not looked at either."""
    assert "1024 bytes" in refusal(lambda: read_alerts(incoming(text * 4 * KIB, JSON), LIMITS))


@pytest.mark.parametrize(
    "escape",
    [
        lambda text: text,
        lambda text: text.replace("/", "\\/"),
        lambda text: text.replace("+", "\\u002B"),
        lambda text: text.replace("\\n", "\\r\\n"),
    ],
    ids=["plain", "PHP", ".NET", "Windows"],
)
def test_escapes_in_base64_count_for_the_attachment(escape: Callable[[str], str]) -> None:
    """JSON writers differ in what they escape; the limits do not depend on that."""
    limits = SizeLimits(body=KIB, attachments=256 * KIB)
    data = bytes(range(256)) * KIB
    body = escape(json.dumps({"subject": "x", "attachments": [{"content": encodebytes(data).decode()}]}))

    assert len(body) <= limits.with_attachments
    (alert,) = read_alerts(incoming(body.encode(), JSON), limits).alerts
    assert alert.attachments[0].data == data


@pytest.mark.parametrize(
    "act",
    [
        lambda limits: read({"subject": "x", "attachments": [{"content": ""}]}, limits),
        lambda limits: read_parts(SUBJECT, part("name=f; filename=a", b"x"), limits=limits),
    ],
    ids=["JSON", "multipart"],
)
def test_attachments_can_be_turned_off(act: Callable[[SizeLimits], Reading]) -> None:
    """With no room for them, even a small one is refused."""
    limits = SizeLimits(body=KIB, attachments=0)
    assert limits.with_attachments == KIB
    assert "at most 0 bytes" in refusal(lambda: act(limits))
