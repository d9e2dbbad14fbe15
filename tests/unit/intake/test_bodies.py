"""Which bodies are admitted, and how much of them may be in memory at once."""

import pytest

from app.domain.errors import JournalUnavailable
from app.httpkit.limits import BodyTooLarge
from app.intake.bodies import LARGE_BODIES_AT_ONCE, Bodies
from app.intake.body_budget import BODIES_AT_ONCE, BodyBudget, Room
from app.intake.sizes import SizeLimits
from app.intake.unproven import UNPROVEN_AT_ONCE, UNPROVEN_OF_ONE

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
    rooms = [bodies.admit(announced(14 * MIB)) for _ in range(LARGE_BODIES_AT_ONCE // (14 * MIB))]
    with pytest.raises(JournalUnavailable) as caught:
        bodies.admit(announced(14 * MIB))
    assert caught.value.retry_after.total_seconds() == 1
    rooms[0].release()
    assert bodies.admit(announced(14 * MIB)).size_bytes == 14 * MIB


def test_large_bodies_keep_no_ordinary_one_out(bodies: Bodies) -> None:
    """Each kind has a budget of its own."""
    for _ in range(4):
        bodies.admit(announced(16 * MIB))
    for _ in range(BODIES_AT_ONCE // MIB):
        assert bodies.admit(announced(MIB)).size_bytes == MIB


def test_body_without_length_is_an_ordinary_one_until_it_grows(bodies: Bodies) -> None:
    """It counts as large from the byte on that makes it large."""
    room = bodies.admit(announced(None))
    grow = bodies.counter(room)
    assert grow is not None

    grow(MIB)
    assert (room.size_bytes, room.limit) == (MIB, 16 * MIB)
    others = [bodies.admit(announced(16 * MIB)) for _ in range(4)]
    with pytest.raises(JournalUnavailable):
        grow(MIB + 1)
    others[0].release()
    room.release()


def test_what_has_announced_its_length_does_not_count_less(bodies: Bodies) -> None:
    """The room for all of it is kept while it comes."""
    room = bodies.admit(announced(16 * MIB))
    assert bodies.counter(room) is None
    assert room.size_bytes == 16 * MIB


def test_ordinary_body_needs_no_count(bodies: Bodies) -> None:
    """The small ones, nearly all, pay nothing for the large ones."""
    assert bodies.counter(bodies.admit(announced(MIB))) is None
    assert bodies.counter(bodies.admit(announced(None, b"text/plain"))) is None


def grow_stranger(bodies: Bodies, address: str, size: int) -> Room:
    """Let a body of somebody unproven come in."""
    room = bodies.admit(announced(MIB), stranger=address)
    grow = bodies.counter(room)
    assert grow is not None
    grow(size)
    return room


def test_a_stranger_that_sends_nothing_takes_no_room(bodies: Bodies) -> None:
    """Idle connections that announce a lot keep no signed webhook out."""
    for _ in range(100):
        bodies.admit(announced(MIB), stranger="192.0.2.1")
    assert grow_stranger(bodies, "192.0.2.1", MIB).size_bytes == MIB


def test_strangers_of_one_address_crowd_out_each_other_only(bodies: Bodies) -> None:
    """An address has a share, and gets it back; of IPv6 a whole network is one address."""
    rooms = [grow_stranger(bodies, f"2001:db8::{number}", MIB) for number in range(UNPROVEN_OF_ONE // MIB)]
    with pytest.raises(JournalUnavailable, match="from this address"):
        grow_stranger(bodies, "2001:db8::99", 1)
    assert grow_stranger(bodies, "192.0.2.1", MIB).size_bytes == MIB
    rooms[0].release()
    assert grow_stranger(bodies, "2001:db8::99", MIB).size_bytes == MIB


def test_strangers_crowd_out_strangers_only(bodies: Bodies) -> None:
    """Bodies that wait for their signature to be checked take no room from those that a token has let in."""
    for number in range(UNPROVEN_AT_ONCE // MIB):
        grow_stranger(bodies, f"192.0.2.{number}", MIB)
    with pytest.raises(JournalUnavailable):
        grow_stranger(bodies, "192.0.2.99", 1)
    assert bodies.admit(announced(MIB)).size_bytes == MIB


def test_a_body_whose_signature_is_right_is_no_stranger_s(bodies: Bodies) -> None:
    """While it waits for its commit, others may come."""
    for _ in range(2 * UNPROVEN_AT_ONCE // MIB):
        room = grow_stranger(bodies, "192.0.2.1", MIB)
        bodies.prove(room, MIB)
        assert room.size_bytes == MIB


def test_a_stranger_sends_no_attachments(bodies: Bodies) -> None:
    """Tools that sign have none; nobody else's large body is read."""
    with pytest.raises(BodyTooLarge):
        bodies.admit(announced(MIB + 1), stranger="192.0.2.1")


def test_a_body_larger_than_the_budget_may_go_alone() -> None:
    """A high limit is never out of reach because of the budget."""
    budget = BodyBudget(10)
    room = Room(budget, 5, 100)
    room.move(budget, 50)
    with pytest.raises(JournalUnavailable):
        Room(budget, 1, 100)
    room.release()
    room.release()
    assert Room(budget, 11, 100).size_bytes == 11


def test_a_move_without_room_holds_nothing() -> None:
    """A room that failed gives back all that it had."""
    first, second = BodyBudget(10), BodyBudget(10)
    Room(second, 10, 10)
    room = Room(first, 10, 100)
    with pytest.raises(JournalUnavailable):
        room.move(second, 1)
    room.release()
    assert Room(first, 10, 10).size_bytes == 10
