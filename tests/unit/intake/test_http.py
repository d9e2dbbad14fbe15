"""`POST /alerts` as an ASGI application: what is answered, when, and what is let go of."""

import asyncio
import gzip
import json
from base64 import b64encode

import pytest

from app.domain.access import Principal
from app.domain.access import Scope as AccessScope
from app.domain.alert import Alert
from app.domain.errors import JournalUnavailable
from app.domain.receipt import KeyReused, claim_of, request_bytes
from app.httpkit.limits import Message, Scope
from app.intake.bodies import LARGE_BODIES_AT_ONCE
from app.intake.http import AlertsEndpoint
from tests.support.asgi_calls import Exchange, body_messages, http_scope
from tests.support.clock import FakeClock
from tests.support.fake_once import FakeOnce
from tests.support.multipart_body import CONTENT_TYPE, form_with_file

MIB = 1 << 20
SENDER = Principal(fingerprint=b"f")
JSON = "application/json"
FILE = bytes(range(256)) * 8 * 1024  # 2 MiB: long enough to be parsed in a thread
WITH_FILE = json.dumps({"subject": "x", "attachments": [{"content": b64encode(FILE).decode()}]}).encode()


@pytest.fixture
def ingest() -> FakeOnce:
    return FakeOnce()


@pytest.fixture
def endpoint(ingest: FakeOnce) -> AlertsEndpoint:
    return AlertsEndpoint(
        ingest,
        clock=FakeClock(),
        body_limit=MIB,
        attachments_limit=10 * MIB,
    )


async def post(
    endpoint: AlertsEndpoint, *pieces: bytes, content_type: str = JSON, announce: int | None = None, encoding: str = ""
) -> Exchange:
    """Post a body; `announce` is its Content-Length, else that of the pieces, and -1 sends none."""
    size = sum(map(len, pieces)) if announce is None else announce
    headers = [(b"content-type", content_type.encode())]
    headers += [(b"content-length", b"%d" % size)] if size >= 0 else []
    headers += [(b"content-encoding", encoding.encode())] if encoding else []
    exchange = Exchange([*body_messages(*pieces)])
    await endpoint(_scope(*headers), exchange.receive, exchange.send)
    return exchange


def _scope(*headers: tuple[bytes, bytes], path: str = "/alerts", principal: Principal | None = SENDER) -> Scope:
    scope = http_scope("POST", path, *headers)
    scope["state"]["principal"] = principal
    return scope


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(WITH_FILE, JSON), (form_with_file("x", "a", FILE), CONTENT_TYPE)],
    ids=["JSON", "multipart"],
)
async def test_large_body_with_a_file_is_accepted(
    endpoint: AlertsEndpoint, ingest: FakeOnce, body: bytes, content_type: str
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


async def test_compressed_body_is_read(endpoint: AlertsEndpoint, ingest: FakeOnce) -> None:
    """gzip, as some agents send it."""
    assert (await post(endpoint, gzip.compress(b'{"subject":"x"}'), encoding="gzip")).status == 202
    assert ingest.alerts == [Alert(subject="x")]


@pytest.mark.parametrize(
    ("body", "status"),
    [(gzip.compress(b" " * (MIB + 1)), 413), (gzip.compress(b" " * MIB) + gzip.compress(b"x"), 413)],
    ids=["bomb", "bomb of two"],
)
async def test_bad_compressed_body_is_refused(endpoint: AlertsEndpoint, body: bytes, status: int) -> None:
    """A kilobyte that swells to a gigabyte stops at the limit of a body."""
    assert (await post(endpoint, body, content_type="text/plain", encoding="gzip")).status == status


async def test_unknown_coding_is_mailed_as_a_file(endpoint: AlertsEndpoint, ingest: FakeOnce) -> None:
    """Whoever gets the mail may be able to read it."""
    assert (await post(endpoint, b"(/brotli", encoding="br")).status == 202
    assert [file.data for file in ingest.alerts[0].attachments] == [b"(/brotli"]


async def test_body_that_grows_too_large_is_refused(endpoint: AlertsEndpoint) -> None:
    """Without a length the limit holds all the same."""
    assert (await post(endpoint, *[b" " * MIB] * 17, announce=-1)).status == 413


async def test_large_bodies_at_once_are_bounded(endpoint: AlertsEndpoint, ingest: FakeOnce) -> None:
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
    endpoint: AlertsEndpoint, ingest: FakeOnce
) -> None:
    """It is read as far as an ordinary body may go, and no further."""
    ingest.open.clear()
    waiting = [asyncio.create_task(post(endpoint, WITH_FILE, announce=16 * MIB)) for _ in range(4)]
    await ingest.asked.wait()

    refused = await post(endpoint, b" " * MIB, b" ", b"never read", announce=-1)
    assert (refused.status, len(refused.messages)) == (503, 1)
    assert (await _small_post_while_closed(endpoint, ingest)).status == 202
    assert [exchange.status for exchange in await asyncio.gather(*waiting)] == [202] * 4


async def _small_post_while_closed(endpoint: AlertsEndpoint, ingest: FakeOnce) -> Exchange:
    small = asyncio.create_task(post(endpoint, b'{"subject":"x"}'))
    await asyncio.sleep(0)
    ingest.open.set()
    return await small


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (WITH_FILE[:-1], JSON, 413),
        (WITH_FILE.replace(b'"x"', b"5"), JSON, 422),
        (WITH_FILE[:-2], CONTENT_TYPE, 413),
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


async def test_room_is_given_back_when_the_journal_refuses(endpoint: AlertsEndpoint, ingest: FakeOnce) -> None:
    """A full disk does not keep the memory counted."""
    ingest.fault = JournalUnavailable("the disk is full")
    for _ in range(6):
        assert (await post(endpoint, WITH_FILE, announce=16 * MIB)).status == 503
    ingest.fault = None
    assert (await post(endpoint, WITH_FILE, announce=16 * MIB)).status == 202


async def test_small_posts_go_on_while_a_long_body_is_parsed(endpoint: AlertsEndpoint, ingest: FakeOnce) -> None:
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
    assert (await post(endpoint, b"--no boundary", content_type=CONTENT_TYPE)).status == 202
    assert caplog.records == []


async def test_client_that_goes_away_takes_no_room(endpoint: AlertsEndpoint) -> None:
    """An upload that breaks off is not counted for ever."""
    for _ in range(6):
        begun: list[Message] = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
        headers = ((b"content-type", JSON.encode()), (b"content-length", b"%d" % (16 * MIB)))
        exchange = Exchange(begun)
        with pytest.raises(Exception, match="went away"):
            await endpoint(_scope(*headers), exchange.receive, exchange.send)


async def ask(endpoint: AlertsEndpoint, body: bytes, *headers: tuple[bytes, bytes], **more: object) -> Exchange:
    """Post a small JSON body with more header fields."""
    exchange = Exchange([*body_messages(body)])
    fields = ((b"content-type", JSON.encode()), *headers)
    await endpoint(_scope(*fields, **more), exchange.receive, exchange.send)  # type: ignore[arg-type]  # keywords of it
    return exchange


async def test_idempotency_key_becomes_a_claim_of_the_token(endpoint: AlertsEndpoint, ingest: FakeOnce) -> None:
    """Quoted, as the field is defined, or bare, it is the same key."""
    body = b'{"subject":"x"}'
    for key in (b"k1", b'"k1"'):
        assert (await ask(endpoint, body, (b"idempotency-key", key))).status == 202
    sent = request_bytes(body, format_name="", query=[("secret", "1")])
    assert ingest.claims == [claim_of("k1", sent, fingerprint=b"f")] * 2


async def test_reused_key_is_422(endpoint: AlertsEndpoint, ingest: FakeOnce) -> None:
    """The sender learns that it has a fault."""
    ingest.fault = KeyReused("used before")
    answer = await ask(endpoint, b'{"subject":"x"}', (b"idempotency-key", b"k"))
    assert (answer.status, json.loads(answer.sent[1]["body"])["type"]) == (422, "/problems/key-reused")


async def test_unproven_sender_is_refused(endpoint: AlertsEndpoint, ingest: FakeOnce) -> None:
    """What the gate has left to a signature is taken only if one fits."""
    assert (await ask(endpoint, b'{"subject":"x"}', principal=None)).status == 401
    assert ingest.alerts == []


async def test_token_that_only_reads_cannot_send(endpoint: AlertsEndpoint, ingest: FakeOnce) -> None:
    """A signature, too, proves who it is and not what it may."""
    reader = Principal(scopes=frozenset({AccessScope.READ}))
    assert (await ask(endpoint, b'{"subject":"x"}', principal=reader)).status == 403
    assert ingest.alerts == []


@pytest.mark.parametrize(
    ("path", "status"), [("/alerts/", 202), ("/alerts/native", 202), ("/alerts/native/", 202), ("/alerts/nothing", 404)]
)
async def test_the_path_may_name_the_format(endpoint: AlertsEndpoint, path: str, status: int) -> None:
    """A name that is none is told, for a typing error in a webhook must be seen."""
    assert (await ask(endpoint, b'{"subject":"x"}', path=path)).status == status


async def test_bodies_that_no_format_knows_are_counted(endpoint: AlertsEndpoint, ingest: FakeOnce) -> None:
    """They are mailed all the same."""
    assert (await ask(endpoint, b'{"a":1}')).status == 202
    assert (endpoint.not_understood, len(ingest.alerts)) == (1, 1)


async def test_a_cut_off_body_is_mailed_as_far_as_it_goes(endpoint: AlertsEndpoint, ingest: FakeOnce) -> None:
    """The sender is warned, and the alert is not lost."""
    cut_off = gzip.compress(b'{"subject":"raid degraded","content":"%s"}' % bytes(range(65, 91)) * 9)[:-12]
    answer = await post(endpoint, cut_off, encoding="gzip")
    assert (answer.status, "cut off" in answer.sent[1]["body"].decode()) == (202, True)
    assert "raid degraded" in ingest.alerts[0].subject


async def test_a_right_signature_takes_no_strangers_room(ingest: FakeOnce) -> None:
    """Signed bodies that wait for their commit keep no others out."""
    endpoint = AlertsEndpoint(
        ingest, clock=FakeClock(), body_limit=MIB, attachments_limit=0, by_signature=lambda *_: SENDER
    )
    ingest.open.clear()
    body = b'{"subject":"x"}'.ljust(MIB)
    waiting = []
    for _ in range(12):
        exchange = Exchange([*body_messages(body[:-1], body[-1:])])
        sent = _scope((b"content-type", b"application/json"), principal=None)
        waiting.append((exchange, asyncio.create_task(endpoint(sent, exchange.receive, exchange.send))))
    await ingest.asked.wait()
    ingest.open.set()
    await asyncio.gather(*(task for _, task in waiting))
    assert {exchange.status for exchange, _ in waiting} == {202}
