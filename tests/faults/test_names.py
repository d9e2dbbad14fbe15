"""Relays whose name does not resolve, or not to where they are."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.background_relay import background_relay
from tests.support.fault_run import HASTY, FaultRun
from tests.support.own_hosts import OwnHosts

GONE = "127.0.0.9"  # of loopback, and nobody listens there


def named_run(folder: Path, port: int, hosts: OwnHosts) -> FaultRun:
    """Return a run towards the relay `relay.test` of these hosts."""
    run = FaultRun(folder, port, relay=f"smtp+insecure://relay.test:{port}")
    run.daemon.program = hosts.program(HASTY)
    return run


def test_a_name_that_does_not_resolve(tmp_path: Path) -> None:
    """Fault 15: while DNS fails the mail waits uncharged; the name is asked for at every attempt, and it leaves."""
    hosts = OwnHosts(tmp_path)
    with background_relay() as relay, named_run(tmp_path, relay.port, hosts) as run:
        alert = run.post()
        fault = run.daemon.wait_for_event("relay_fault")
        assert run.recipients(alert)[0]["attempts"] == 0
        hosts.set({"relay.test": ["127.0.0.1"]})
        run.settle()
        balance = run.close(relay.mails)
    assert (fault["scope"], "relay.test does not resolve" in fault["reason"]) == ("relay", True)
    assert (balance.delivered, balance.flagged) == (1, 0)


@pytest.mark.parametrize(
    "addresses", [[GONE, "127.0.0.1"], ["127.0.0.1", GONE], ["::1", "127.0.0.1"]], ids=["first", "last", "IPv6"]
)
def test_one_dead_address_of_two(tmp_path: Path, addresses: Sequence[str]) -> None:
    """Fault 15: where one of a name's addresses is dead, the mail leaves over the other at the first attempt."""
    hosts = OwnHosts(tmp_path, relay_test=addresses)
    with background_relay() as relay, named_run(tmp_path, relay.port, hosts) as run:
        run.post()
        run.settle()
        assert run.daemon.events("relay_fault") == []
        balance = run.close(relay.mails)
    assert (balance.delivered, len(relay.mails)) == (1, 1)


def test_a_name_that_moves(tmp_path: Path) -> None:
    """Fault 15: a relay that moved to another address is found there as soon as a new connection is made."""
    hosts = OwnHosts(tmp_path, relay_test=[GONE])
    with background_relay() as relay, named_run(tmp_path, relay.port, hosts) as run:
        run.post()
        run.daemon.wait_for_event("relay_fault")
        hosts.set({"relay.test": ["127.0.0.1"]})
        run.settle()
        balance = run.close(relay.mails)
    assert balance.delivered == 1
