"""The budget of messages that are in memory at once."""

from app.smtpd.budget import SMALL, Holding, MessageBudget

MIB = 1 << 20


def test_what_does_not_fit_is_refused_and_takes_nothing() -> None:
    """The next one that fits is taken."""
    budget = MessageBudget(6 * MIB)
    first, second, third = Holding(budget), Holding(budget), Holding(budget)
    assert first.grow_to(3 * MIB)
    assert second.grow_to(MIB)
    assert not second.grow_to(2 * MIB)
    assert third.grow_to(MIB)


def test_one_that_was_refused_stays_so() -> None:
    """A message with a hole in it is of no use."""
    budget = MessageBudget(3 * MIB)
    first, second = Holding(budget), Holding(budget)
    first.grow_to(2 * MIB)
    assert not second.grow_to(MIB)
    first.release()
    assert not second.grow_to(MIB)


def test_large_messages_leave_room_for_small_ones() -> None:
    """An ordinary alert gets in while files of megabytes are on their way."""
    budget = MessageBudget(3 * MIB)
    large, small = Holding(budget), Holding(budget)
    assert large.grow_to(2 * MIB)
    assert not Holding(budget).grow_to(SMALL + 1)
    assert small.grow_to(SMALL)


def test_small_messages_are_bounded_too() -> None:
    """A thousand of them must not fill the memory."""
    budget = MessageBudget(3 * MIB)
    taken = [holding.grow_to(SMALL) for holding in [Holding(budget) for _ in range(10)]]
    assert taken == [True] * 4 + [False] * 6


def test_a_message_larger_than_the_budget_goes_alone() -> None:
    """Else it could never come in."""
    assert Holding(MessageBudget(MIB)).grow_to(10 * MIB)


def test_release_gives_all_back() -> None:
    """Nothing leaks, whichever share it was in."""
    budget = MessageBudget(3 * MIB)
    for size in (SMALL, 2 * MIB):
        for _ in range(20):
            holding = Holding(budget)
            assert holding.grow_to(100)
            assert holding.grow_to(size)
            holding.release()
