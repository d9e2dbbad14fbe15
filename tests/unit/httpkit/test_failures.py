"""How failures are counted."""

import pytest

from app.httpkit.failures import MAX_ADDRESSES, WINDOW_SECONDS, Failures, network_of


def test_failures_add_up_within_a_minute() -> None:
    """Each address is counted by itself."""
    failures = Failures()
    assert [failures.count("10.0.0.1", now) for now in (0, 30, 59)] == [1, 2, 3]
    assert failures.count("10.0.0.2", 59) == 1
    assert (failures.number("10.0.0.1", 59), failures.number("10.0.0.3", 59)) == (3, 0)


def test_a_new_minute_begins_at_nothing() -> None:
    """A minute after the first failure they are forgotten."""
    failures = Failures()
    failures.count("10.0.0.1", 0)
    assert failures.number("10.0.0.1", WINDOW_SECONDS) == 0
    assert failures.count("10.0.0.1", WINDOW_SECONDS) == 1


def test_the_end_of_the_minute_is_known() -> None:
    """Who has to wait is told how long."""
    failures = Failures()
    failures.count("10.0.0.1", 100)
    assert failures.ends_in("10.0.0.1", 115).total_seconds() == 45
    assert failures.ends_in("10.0.0.2", 115).total_seconds() == 0


def test_many_addresses_take_bounded_memory() -> None:
    """Those that failed longest ago are forgotten first."""
    failures = Failures()
    for number in range(MAX_ADDRESSES):
        failures.count(f"10.1.{number >> 8}.{number & 255}", 0)
    failures.count("10.1.0.0", 1)
    failures.count("192.0.2.1", 1)
    assert failures.number("10.1.0.0", 1) == 2
    assert failures.number("10.1.0.1", 1) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_a_network_counts_as_one(address: str, network: str) -> None:
    """A machine with IPv6 has 2^64 addresses, and may not try ten tokens from each."""
    assert network_of(address) == network
