"""What makes a request the same as an earlier one."""

from urllib.parse import quote

import pytest

from app.domain.access import Principal
from app.domain.alert import Alert
from app.domain.receipt import claim_of
from app.domain.spooled import SpooledAlert
from app.intake.claims import claims_on
from app.intake.incoming import EventKey, IncomingBody, Reading
from tests.support.clock import NOW

ALERT = Alert(subject="x")
KEYED = {b"idempotency-key": b"k"}
TWO = Reading((ALERT, ALERT), is_batch=True, event_keys=(EventKey("a", b"1"), EventKey("b", b"2")))
PLAIN = Reading((ALERT,))


def test_a_request_without_a_name_has_no_claim() -> None:
    """Two equal alerts are two alerts."""
    assert claims_on(IncomingBody(b"x"), PLAIN, Principal()) == []


def test_a_key_stands_for_the_whole_request_beside_its_events() -> None:
    """Its events are known as well when they come again without the key."""
    whole, first, second = claims_on(IncomingBody(b"x", KEYED), TWO, Principal())
    assert whole.key == claim_of("k", b"", fingerprint=b"").key
    assert (whole.position, first.position, second.position) == (None, 0, 1)
    assert [first, second] == claims_on(IncomingBody(b"x"), TWO, Principal())


def test_each_event_of_a_batch_has_its_own() -> None:
    """A batch that comes again with one event more brings that one alone."""
    claims = claims_on(IncomingBody(b"x"), TWO, Principal())
    assert [claim.position for claim in claims] == [0, 1]
    assert claims[0].key == claim_of("a", b"1", fingerprint=b"").key


def test_an_event_without_a_name_costs_the_others_nothing() -> None:
    """They are known again, each in its place."""
    reading = Reading((ALERT, ALERT), is_batch=True, event_keys=(None, EventKey("b", b"2")))
    assert [claim.position for claim in claims_on(IncomingBody(b"x"), reading, Principal())] == [1]


@pytest.mark.parametrize(("is_batch", "position"), [(False, None), (True, 0)], ids=["alone", "batch of one"])
def test_one_event_alone_is_the_whole_request(is_batch: bool, position: int | None) -> None:
    """Its name for something else is refused; in a batch it would cost the others."""
    reading = Reading((ALERT,), is_batch=is_batch, event_keys=(EventKey("a", b"1"),))
    (claim,) = claims_on(IncomingBody(b"x"), reading, Principal())
    assert claim.position == position


def test_keys_of_two_tokens_are_two_keys() -> None:
    """Nobody meets the answer of somebody else."""
    body = IncomingBody(b"x", KEYED)
    one, other = (claims_on(body, PLAIN, Principal(fingerprint=mark)) for mark in (b"1", b"2"))
    assert one[0].key != other[0].key


def digest(body: bytes = b"x", query: bytes = b"", format_name: str = "", **fields: bytes) -> bytes:
    """Return what stands for a request with these parts."""
    named = {name.replace("_", "-").encode(): value for name, value in fields.items()}
    (claim,) = claims_on(IncomingBody(body, KEYED | named, query), PLAIN, Principal(), format_name=format_name)
    return claim.digest


@pytest.mark.parametrize(
    "other",
    [
        digest(b"y"),
        digest(query=b"subject=B"),
        digest(format_name="slack"),
        digest(title=b"B"),
        digest(x_priority=b"5"),
        digest(ce_type=b"t"),
        digest(filename=b"a.log"),
    ],
    ids=["body", "query", "format", "title", "ntfy", "event", "file"],
)
def test_another_alert_under_the_same_key_is_seen(other: bytes) -> None:
    """Whatever of the request says what the alert is."""
    assert other != digest()


def test_what_makes_no_alert_does_not_count() -> None:
    """A repetition has another date and another way, and may be called JSON or not."""
    assert digest(date=b"today", traceparent=b"00-1", content_type=b"text/plain") == digest()


@pytest.mark.parametrize("receivers", [(), ("dba",), ("a b", "Büro&co")], ids=["default", "one", "two"])
def test_a_post_and_its_spool_file_are_one(receivers: tuple[str, ...]) -> None:
    """What `mailalert` posts in vain and leaves in the spool is known there, whatever proxies add on the way."""
    spooled = SpooledAlert(key="0" * 32, body=b'{"subject":"x"}', made_at=NOW, receivers=receivers)
    query = "&".join(f"receiver={quote(name)}" for name in receivers).encode()
    fields = {b"idempotency-key": spooled.key.encode(), b"priority": b"u=1"}
    claims = claims_on(IncomingBody(spooled.body, fields, query), PLAIN, Principal(), format_name="native")
    assert tuple(claims) == spooled.claims()
