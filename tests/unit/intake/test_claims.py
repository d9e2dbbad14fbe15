"""What makes a request the same as an earlier one."""

from app.domain.access import Principal
from app.domain.receipt import claim_of
from app.intake.claims import claims_on
from app.intake.incoming import EventKey

EVENTS = (EventKey("a", b"1"), EventKey("b", b"2"))


def test_a_request_without_a_name_has_no_claim() -> None:
    """Two equal alerts are two alerts."""
    assert claims_on({}, b"x", (), Principal()) == []


def test_a_key_stands_for_the_whole_request() -> None:
    """It outweighs what the tool calls its events."""
    (claim,) = claims_on({b"idempotency-key": b"k"}, b"x", EVENTS, Principal())
    assert claim == claim_of("k", b"x", fingerprint=b"")
    assert claim.positions is None


def test_each_event_of_a_batch_has_its_own() -> None:
    """A batch that comes again with one event more brings that one alone."""
    claims = claims_on({}, b"x", EVENTS, Principal())
    assert [claim.positions for claim in claims] == [(0,), (1,)]
    assert claims[0].key == claim_of("a", b"1", fingerprint=b"").key


def test_keys_of_two_tokens_are_two_keys() -> None:
    """Nobody meets the answer of somebody else."""
    fields = {b"idempotency-key": b"k"}
    one, other = (claims_on(fields, b"x", (), Principal(fingerprint=mark)) for mark in (b"1", b"2"))
    assert one[0].key != other[0].key
