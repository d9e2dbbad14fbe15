"""What recipients say of receiver and severity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alert import Severity
from app.intake.smtp.recipients import Addressing, read_recipients

RECEIVERS = {"default": "default", "dba": "dba", "on.call": "On.Call"}


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("dba@alerts.example.org", Addressing(("dba",))),
        ("DBA+Critical@alerts", Addressing(("dba",), severity=Severity.CRITICAL)),
        ("on.call+warn@x", Addressing(("On.Call",), severity=Severity.WARNING)),
        ("root@db1.example.org", Addressing()),
        ("root+critical@db1", Addressing(severity=Severity.CRITICAL)),
        ("dba+nonsense@x", Addressing(("dba",), severity=Severity.WARNING)),
        ("dba", Addressing(("dba",))),
        ("dba+error", Addressing(("dba",), severity=Severity.ERROR)),
        ('"dba+info"@x', Addressing(("dba",), severity=Severity.INFO)),
        ("@x", Addressing()),
        ("+@x", Addressing()),
        ("+critical@x", Addressing(severity=Severity.CRITICAL)),
        ("dba+@x", Addressing(("dba",))),
        ("a@dba@x", Addressing()),
    ],
)
def test_a_recipient_chooses(recipient: str, expected: Addressing) -> None:
    """The local part is the receiver's name, in any case, and the severity follows a plus sign."""
    assert read_recipients([recipient], RECEIVERS) == expected


def test_several_recipients_choose_together() -> None:
    """The alert goes to all that are known, each once, with the highest severity."""
    recipients = ["dba+info@x", "on.call+critical@x", "DBA@y"]
    assert read_recipients(recipients, RECEIVERS) == Addressing(("dba", "On.Call"), severity=Severity.CRITICAL)


def test_for_an_unknown_one_among_them_it_is_routed_too() -> None:
    """Nobody who was asked for is left out."""
    assert read_recipients(["dba@x", "root@x"], RECEIVERS) == Addressing(("dba",), also_routed=True)


@given(st.lists(st.text(max_size=40), max_size=5))
def test_no_recipient_raises(recipients: list[str]) -> None:
    """Only names that exist come out."""
    assert set(read_recipients(recipients, RECEIVERS).receivers) <= set(RECEIVERS.values())
