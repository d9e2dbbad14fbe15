"""Reading a body within its limit."""

from contextlib import suppress

import pytest

from app.httpkit.limits import BodyTooLarge, ClientDisconnected, read_body
from tests.support.asgi_calls import Exchange, body_messages, http_scope


@pytest.mark.parametrize(
    "pieces", [(b"",), (b"12345",), (b"12", b"345"), (b"", b"12345", b"")], ids=lambda pieces: f"{len(pieces)}"
)
async def test_a_body_is_read_whole(pieces: tuple[bytes, ...]) -> None:
    """A body of just the limit is returned, in however many pieces it comes."""
    exchange = Exchange([*body_messages(*pieces)])
    assert await read_body(http_scope(), exchange.receive, limit=5) == b"".join(pieces)


async def test_a_length_over_the_limit_is_refused_unread() -> None:
    """What Content-Length says is believed before a byte is asked for."""
    scope = http_scope("POST", "/", (b"content-length", b"6"))
    with pytest.raises(BodyTooLarge, match="5 bytes"):
        await read_body(scope, Exchange().receive, limit=5)


@pytest.mark.parametrize("pieces", [(b"123456",), (b"123", b"456"), (b"123", b"456", b"never read")])
async def test_a_body_over_the_limit_is_refused(pieces: tuple[bytes, ...]) -> None:
    """Without a length the bytes are counted as they come."""
    exchange = Exchange([*body_messages(*pieces)])
    with pytest.raises(BodyTooLarge):
        await read_body(http_scope(), exchange.receive, limit=5)


@pytest.mark.parametrize("pieces", [(), (b"12",)], ids=["at once", "midway"])
async def test_a_client_that_goes_away_is_told_apart(pieces: tuple[bytes, ...]) -> None:
    """A body that ends too soon is never taken for a whole one."""
    begun = [{**message, "more_body": True} for message in body_messages(*pieces)]
    exchange = Exchange([*begun, {"type": "http.disconnect"}])
    with pytest.raises(ClientDisconnected):
        await read_body(http_scope(), exchange.receive, limit=5)


@pytest.mark.parametrize(
    ("pieces", "heard"),
    [((b"12345",), []), ((b"12", b"345"), [2, 5]), ((b"12", b"345", b"6"), [2, 5])],
    ids=["one piece", "two pieces", "beyond the limit"],
)
async def test_growth_is_told(pieces: tuple[bytes, ...], heard: list[int]) -> None:
    """A body that comes in pieces is counted as it grows, never beyond its limit."""
    sizes: list[int] = []
    with suppress(BodyTooLarge):
        await read_body(http_scope(), Exchange([*body_messages(*pieces)]).receive, 5, sizes.append)
    assert sizes == heard


async def test_whoever_hears_of_the_growth_may_end_it() -> None:
    """Nothing more is read for a body that has no room."""

    def refuse(_size: int) -> None:
        raise BodyTooLarge(1)

    exchange = Exchange([*body_messages(b"12", b"34", b"5")])
    with pytest.raises(BodyTooLarge):
        await read_body(http_scope(), exchange.receive, 5, refuse)
    assert len(exchange.messages) == 2
