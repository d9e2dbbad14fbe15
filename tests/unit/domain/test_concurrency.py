"""The limit of connections: halved when the relay has enough, one more after as many mails as there are."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.concurrency import ConcurrencyLimit


def successes_until_one_more(limit: ConcurrencyLimit) -> int:
    """Return how many mails have to be taken until another connection may send."""
    count = 1
    while not limit.succeeded():
        count += 1
    return count


def test_a_relay_that_never_complains_gets_all_connections() -> None:
    """They may send from the start, and no success makes them more."""
    limit = ConcurrencyLimit(4)
    assert limit.allowed == 4
    assert not any(limit.succeeded() for _ in range(100))
    assert limit.allowed == 4


def test_congestion_halves_them_down_to_one() -> None:
    """The decrease is multiplicative, and one may always send."""
    limit = ConcurrencyLimit(10)
    halves = []
    for _ in range(5):
        limit.congested()
        halves.append(limit.allowed)
    assert halves == [5, 2, 1, 1, 1]


def test_each_round_of_mails_adds_one() -> None:
    """The increase is additive: about as many mails as connections send, for one more of them."""
    limit = ConcurrencyLimit(5)
    limit.restart()
    for connections in (1, 2, 3, 4):
        assert connections <= successes_until_one_more(limit) <= connections + 1
        assert limit.allowed == connections + 1


def test_a_relay_that_is_back_begins_with_one() -> None:
    """However many it bore before."""
    limit = ConcurrencyLimit(8)
    limit.restart()
    assert limit.allowed == 1


@given(st.integers(1, 100), st.lists(st.sampled_from(["succeeded", "congested", "restart"])))
def test_there_is_always_one_and_never_too_many(most: int, events: list[str]) -> None:
    """Whatever the relay says, between one connection and all may send, and more only where that was told."""
    limit = ConcurrencyLimit(most)
    for event in events:
        before = limit.allowed
        told = getattr(limit, event)()
        assert 1 <= limit.allowed <= most
        assert bool(told) == (limit.allowed > before)
