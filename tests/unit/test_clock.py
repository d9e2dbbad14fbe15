"""The system's clock."""

from datetime import UTC, datetime, timedelta

from app.clock import SystemClock


def test_the_time_of_day_is_aware_and_utc() -> None:
    """No time in the system is without its zone."""
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < timedelta(minutes=1)


def test_monotonic_time_never_steps_back() -> None:
    """Durations are never negative."""
    clock = SystemClock()
    looks = [clock.monotonic() for _ in range(100)]
    assert looks == sorted(looks)
