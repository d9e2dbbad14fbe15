"""How many mails are asked for ahead: enough to keep the link busy, never more than fits."""

from hypothesis import given
from hypothesis import strategies as st

from app.mailbox.pop3_window import MAX_AHEAD, MAX_AHEAD_BYTES, Window
from app.protocols.pop3.listing import ListedMail


def _mails(*sizes: int) -> list[ListedMail]:
    return [ListedMail(number, size, f"uid-{number}") for number, size in enumerate(sizes, start=1)]


def _numbers(window: Window) -> list[int]:
    return [mail.number for mail in window.next_batch()]


def test_one_at_a_time_without_pipelining() -> None:
    """A server without PIPELINING is asked for the next mail once it has sent the last."""
    window = Window(_mails(10, 10), pipelining=False)
    assert (_numbers(window), _numbers(window)) == ([1], [])
    window.take()
    assert _numbers(window) == [2]


def test_small_mails_go_by_number() -> None:
    """Small mails are asked for in batches: none until half of them have come."""
    window = Window(_mails(*[1000] * 200), pipelining=True)
    assert _numbers(window) == list(range(1, MAX_AHEAD + 1))
    for _ in range(MAX_AHEAD // 2 - 1):
        window.take()
    assert _numbers(window) == []
    window.take()
    assert _numbers(window) == list(range(MAX_AHEAD + 1, MAX_AHEAD + MAX_AHEAD // 2 + 1))


def test_large_mails_go_by_size() -> None:
    """Large mails are not piled up on the way, and one that is larger than the window is asked for alone."""
    window = Window(_mails(MAX_AHEAD_BYTES // 2, MAX_AHEAD_BYTES * 9, 1, 1), pipelining=True)
    assert _numbers(window) == [1, 2]
    window.take()
    assert _numbers(window) == []
    window.take()
    assert _numbers(window) == [3, 4]


def test_what_was_thrown_away_is_asked_for_again() -> None:
    """After something else was asked, the mails that had not come are asked for anew."""
    window = Window(_mails(1, 1, 1), pipelining=True)
    assert _numbers(window) == [1, 2, 3]
    window.take()
    window.ask_again()
    assert _numbers(window) == [2, 3]


@given(st.lists(st.integers(0, MAX_AHEAD_BYTES * 2), max_size=300), st.booleans())
def test_every_mail_is_asked_for_once(sizes: list[int], pipelining: bool) -> None:
    """Whatever the sizes, each mail is asked for once, in order, before it is taken."""
    window = Window(_mails(*sizes), pipelining=pipelining)
    asked: list[int] = []
    for number in range(1, len(sizes) + 1):
        asked += _numbers(window)
        assert number <= len(asked) <= number + MAX_AHEAD
        window.take()
    assert asked == list(range(1, len(sizes) + 1))
