"""Receivers: who gets one mail, and which alerts it is about."""

import pytest

from app.domain.address import Mailbox
from app.domain.alert import Severity
from app.domain.receiver import Receiver, each_once


def test_nobody_gets_one_mail_twice() -> None:
    """Who stands in several lists is in the first of them, whatever the case of the letters."""
    ops, boss = Mailbox("ops@example.org"), Mailbox("boss@example.org", "The Boss")
    again = Mailbox("Ops@Example.org", "Ops")
    assert each_once((ops, again), (boss, again), (ops,)) == ((ops,), (boss,), ())


@pytest.mark.parametrize("least", Severity)
def test_a_minimum_holds_back_what_is_below(least: Severity) -> None:
    """And nothing that is as bad, or worse."""
    taken = {severity for severity in Severity if Receiver(name="a", minimum_severity=least).takes(severity)}
    assert taken == {severity for severity in Severity if severity.rank >= least.rank}
