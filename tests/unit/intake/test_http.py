"""`POST /alerts` as an ASGI application: what is answered, when, and what is let go of."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Sequence

import pytest

from app.domain.alert import Alert
from app.domain.errors import JournalUnavailable
from app.httpkit.limits import Message
from app.intake.bodies import LARGE_BODIES_AT_ONCE
from app.intake.http import AlertsEndpoint
from tests.support.asgi_calls import Exchange, body_messages, http_scope
from tests.support.multipart_body import CONTENT_TYPE, form_with_file

MIB = 1 << 20
JSON = "application/json"
FILE = bytes(range(256)) * 8 * 1024  # 2 MiB: long enough to be parsed in a thread
WITH_FILE = json.dumps({"subject": "x", "attachments": [{"content": b64encode(FILE).decode()}]}).encode()


class FakeIngest:
    """Takes every alert once `open` is set, or raises `fault`."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.fault: JournalUnavailable | None = None
        self.asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def accept(self, alerts: Sequence[Alert]) -> list[int]:
        """Do as the pipeline's Ingest does."""
        self.asked.set()
        await self.open.wait()
        if self.fault:
            raise self.fault
        self.alerts += alerts
        return list(range(len(alerts)))


@pytest.fixture
def ingest() -> FakeIngest:
    return FakeIngest()


@pytest.fixture
def endpoint(ingest: FakeIngest) -> AlertsEndpoint:
    return AlertsEndpoint(ingest, body_limit=MIB, attachments_limit=10 * MIB)  # type: ignore[arg-type]  # a fake


async def post(
    endpoint: AlertsEndpoint, *pieces: bytes, content_type: str = JSON, announce: int | None = None, encoding: str = ""
) -> Exchange:
    """Post a body; `announce` is its Content-Length, else that of the pieces, and -1 sends none."""
    size = sum(map(len, pieces)) if announce is None else announce
    headers = [(b"content-type", content_type.encode())]
    headers += [(b"content-length", b"%d" % size)] if size >= 0 else []
    headers += [(b"content-encoding", encoding.encode())] if encoding else []
    exchange = Exchange([*body_messages(*pieces)])
    await endpoint(http_scope("POST", "/alerts", *headers), exchange.receive, exchange.send)
    return exchange


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(WITH_FILE, JSON), (form_with_file("x", "a", FILE), CONTENT_TYPE)],
    ids=["JSON", "multipart"],
)
async def test_large_body_with_a_file_is_accepted(
    endpoint: AlertsEndpoint, ingest: FakeIngest, body: bytes, content_type: str
) -> None:
    """The file reaches the pipeline byte by byte, with a length or without."""
    for announce in (len(body), -1):
        exchange = await post(endpoint, body[:MIB], body[MIB:], content_type=content_type, announce=announce)
        assert exchange.status == 202
    assert [alert.attachments[0].data for alert in ingest.alerts] == [FILE, FILE]


@pytest.mark.parametrize(
    ("announce", "content_type", "status"),
    [
        (MIB + 1, "text/plain", 413),
        (16 * MIB + 1, JSON, 413),
        (16 * MIB + 1, CONTENT_TYPE, 413),
    ],
)
async def test_what_is_too_large_is_refused_unread(
    endpoint: AlertsEndpoint, announce: int, content_type: str, status: int
) -> None:
    """Content-Length decides before a byte is asked for."""
    assert (await post(endpoint, announce=announce, content_type=content_type)).status == status


async def test_compressed_body_is_refused_unread(endpoint: AlertsEndpoint) -> None:
    """Nobody sends ten megabytes to learn that they are not read."""
    assert (await post(endpoint, announce=MIB, encoding="gzip")).status == 415


async def test_body_that_grows_too_large_is_refused(endpoint: AlertsEndpoint) -> None:
    """Without a length the limit holds all the same."""
    assert (await post(endpoint, *[b" " * MIB] * 17, announce=-1)).status == 413


async def test_large_bodies_at_once_are_bounded(endpoint: AlertsEndpoint, ingest: FakeIngest) -> None:
    """While bodies wait for their commit, one that has no room beside them is 503 unread; later it is taken."""
    ingest.open.clear()
    size = LARGE_BODIES_AT_ONCE // 4
    waiting = [asyncio.create_task(post(endpoint, WITH_FILE, announce=size)) for _ in range(4)]
    await ingest.asked.wait()

    refused = await post(endpoint, announce=size)
    assert (refused.status, refused.headers[b"retry-after"]) == (503, b"1")
    assert json.loads(refused.sent[1]["body"])["status"] == 503
    ingest.open.set()
    assert [exchange.status for exchange in await asyncio.gather(*waiting)] == [202] * 4
    assert (await post(endpoint, WITH_FILE, announce=size)).status == 202


async def test_large_body_without_length_is_refused_where_there_is_no_room(
    endpoint: AlertsEndpoint, ingest: FakeIngest
) -> None:
    """It is read as far as an ordinary body may go, and no further."""
    ingest.open.clear()
    waiting = [asyncio.create_task(post(endpoint, WITH_FILE, announce=16 * MIB)) for _ in range(4)]
    await ingest.asked.wait()

    refused = await post(endpoint, b" " * MIB, b" ", b"never read", announce=-1)
    assert (refused.status, len(refused.messages)) == (503, 1)
    assert (await _small_post_while_closed(endpoint, ingest)).status == 202
    assert [exchange.status for exchange in await asyncio.gather(*waiting)] == [202] * 4


async def _small_post_while_closed(endpoint: AlertsEndpoint, ingest: FakeIngest) -> Exchange:
    small = asyncio.create_task(post(endpoint, b'{"subject":"x"}'))
    await asyncio.sleep(0)
    ingest.open.set()
    return await small


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (WITH_FILE[:-1], JSON, 400),
        (WITH_FILE.replace(b"subject", b"sobject"), JSON, 422),
        (WITH_FILE[:-2], CONTENT_TYPE, 400),
        (b"[" * 5 * MIB, JSON, 413),
    ],
    ids=["broken JSON", "no subject", "broken multipart", "deep"],
)
async def test_room_is_given_back_whatever_becomes_of_the_body(
    endpoint: AlertsEndpoint, body: bytes, content_type: str, status: int
) -> None:
    """Refused bodies use nothing up."""
    for _ in range(6):
        exchange = await post(endpoint, body, content_type=content_type, announce=16 * MIB)
        assert exchange.status == status


async def test_room_is_given_back_when_the_journal_refuses(endpoint: AlertsEndpoint, ingest: FakeIngest) -> None:
    """A full disk does not keep the memory counted."""
    ingest.fault = JournalUnavailable("the disk is full")
    for _ in range(6):
        assert (await post(endpoint, WITH_FILE, announce=16 * MIB)).status == 503
    ingest.fault = None
    assert (await post(endpoint, WITH_FILE, announce=16 * MIB)).status == 202


async def test_small_posts_go_on_while_a_long_body_is_parsed(endpoint: AlertsEndpoint, ingest: FakeIngest) -> None:
    """Parsing of what is long is done beside the event loop."""
    large = asyncio.create_task(post(endpoint, WITH_FILE))
    await asyncio.sleep(0)
    assert (await post(endpoint, b'{"subject":"small"}')).status == 202
    assert [alert.subject for alert in ingest.alerts] == ["small"]
    assert (await large).status == 202


async def test_broken_body_leaves_no_line_in_the_log(
    endpoint: AlertsEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """Who sends it is told; a log of what strangers send wrong would drown the rest."""
    assert (await post(endpoint, b"--no boundary", content_type=CONTENT_TYPE)).status == 400
    assert caplog.records == []


async def test_client_that_goes_away_takes_no_room(endpoint: AlertsEndpoint) -> None:
    """An upload that breaks off is not counted for ever."""
    for _ in range(6):
        begun: list[Message] = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
        headers = ((b"content-type", JSON.encode()), (b"content-length", b"%d" % (16 * MIB)))
        exchange = Exchange(begun)
        with pytest.raises(Exception, match="went away"):
            await endpoint(http_scope("POST", "/alerts", *headers), exchange.receive, exchange.send)
