"""Which bodies are admitted, and how much of them may be in memory at once."""

import pytest

from app.domain.errors import JournalUnavailable
from app.httpkit.limits import BodyTooLarge
from app.intake.bodies import LARGE_BODIES_AT_ONCE, UNPROVEN_AT_ONCE, Bodies
from app.intake.body_budget import BODIES_AT_ONCE, BodyBudget, Claim
from app.intake.sizes import SizeLimits

MIB = 1 << 20
LIMITS = SizeLimits(body=MIB, attachments=10 * MIB)
JSON = b"application/json"


@pytest.fixture
def bodies() -> Bodies:
    return Bodies(LIMITS)


def announced(size: int | None, content_type: bytes = JSON) -> dict[bytes, bytes]:
    length = {} if size is None else {b"content-length": b"%d" % size}
    return {b"content-type": content_type, **length}


@pytest.mark.parametrize(
    ("content_type", "limit"),
    [(JSON, 16 * MIB), (b"multipart/form-data; boundary=b", 16 * MIB), (b"text/plain", MIB), (b"", MIB)],
    ids=["JSON", "multipart", "text", "unsaid"],
)
def test_only_what_may_hold_attachments_may_be_large(bodies: Bodies, content_type: bytes, limit: int) -> None:
    """A length over the limit of its type is refused before a byte is read."""
    assert bodies.admit(announced(limit, content_type)).limit == limit
    with pytest.raises(BodyTooLarge) as caught:
        bodies.admit(announced(limit + 1, content_type))
    assert caught.value.limit == limit


def test_large_bodies_at_once_are_bounded(bodies: Bodies) -> None:
    """What does not fit beside the others is to come again a second later."""
    claims = [bodies.admit(announced(14 * MIB)) for _ in range(LARGE_BODIES_AT_ONCE // (14 * MIB))]
    with pytest.raises(JournalUnavailable) as caught:
        bodies.admit(announced(14 * MIB))
    assert caught.value.retry_after.total_seconds() == 1
    claims[0].release()
    assert bodies.admit(announced(14 * MIB)).size_bytes == 14 * MIB


def test_large_bodies_keep_no_ordinary_one_out(bodies: Bodies) -> None:
    """Each kind has a budget of its own."""
    for _ in range(4):
        bodies.admit(announced(16 * MIB))
    for _ in range(BODIES_AT_ONCE // MIB):
        assert bodies.admit(announced(MIB)).size_bytes == MIB


def test_body_without_length_is_an_ordinary_one_until_it_grows(bodies: Bodies) -> None:
    """It counts as large from the byte on that makes it large."""
    claim = bodies.admit(announced(None))
    grow = bodies.counter(claim)
    assert grow is not None

    grow(MIB)
    assert (claim.size_bytes, claim.limit) == (MIB, 16 * MIB)
    others = [bodies.admit(announced(16 * MIB)) for _ in range(4)]
    with pytest.raises(JournalUnavailable):
        grow(MIB + 1)
    others[0].release()
    claim.release()


def test_what_has_announced_its_length_does_not_count_less(bodies: Bodies) -> None:
    """The room for all of it is kept while it comes."""
    claim = bodies.admit(announced(16 * MIB))
    grow = bodies.counter(claim)
    assert grow is not None
    grow(2 * MIB)
    assert claim.size_bytes == 16 * MIB


def test_ordinary_body_needs_no_count(bodies: Bodies) -> None:
    """The small ones, nearly all, pay nothing for the large ones."""
    assert bodies.counter(bodies.admit(announced(MIB))) is None
    assert bodies.counter(bodies.admit(announced(None, b"text/plain"))) is None


def test_strangers_crowd_out_each_other_only(bodies: Bodies) -> None:
    """Bodies that wait for their signature to be checked take no room from those that a token has let in."""
    for _ in range(UNPROVEN_AT_ONCE // MIB):
        bodies.admit(announced(None), is_proven=False)
    with pytest.raises(JournalUnavailable):
        bodies.admit(announced(MIB), is_proven=False)
    assert bodies.admit(announced(MIB)).size_bytes == MIB


def test_a_stranger_sends_no_attachments(bodies: Bodies) -> None:
    """Tools that sign have none; nobody else's large body is read."""
    with pytest.raises(BodyTooLarge):
        bodies.admit(announced(MIB + 1), is_proven=False)


def test_a_body_larger_than_the_budget_may_go_alone() -> None:
    """A high limit is never out of reach because of the budget."""
    budget = BodyBudget(10)
    claim = Claim(budget, 5, 100)
    claim.move(budget, 50)
    with pytest.raises(JournalUnavailable):
        Claim(budget, 1, 100)
    claim.release()
    claim.release()
    assert Claim(budget, 11, 100).size_bytes == 11


def test_a_move_without_room_holds_nothing() -> None:
    """A claim that failed gives back all that it had."""
    first, second = BodyBudget(10), BodyBudget(10)
    Claim(second, 10, 10)
    claim = Claim(first, 10, 100)
    with pytest.raises(JournalUnavailable):
        claim.move(second, 1)
    claim.release()
    assert Claim(first, 10, 10).size_bytes == 10
