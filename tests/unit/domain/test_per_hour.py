"""A brake on circles."""

from datetime import timedelta

from app.domain.per_hour import MAX_PEOPLE, PerHour
from tests.support.clock import FakeClock


def test_so_many_are_allowed_within_an_hour() -> None:
    """For each address by itself, in whatever case it is written; the hour goes on."""
    clock = FakeClock()
    brake = PerHour(2, clock=clock)
    assert [brake.allows(who) for who in ("a@x", "A@X", "a@x", "b@x")] == [True, True, False, True]
    clock.pass_time(timedelta(hours=1))
    assert brake.allows("a@x")


def test_memory_is_bounded() -> None:
    """The oldest are forgotten."""
    brake = PerHour(1, clock=FakeClock())
    for number in range(MAX_PEOPLE + 1):
        assert brake.allows(f"{number}@x")
    assert brake.allows("0@x")
    assert not brake.allows(f"{MAX_PEOPLE}@x")
