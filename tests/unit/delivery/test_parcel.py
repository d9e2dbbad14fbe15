"""The parcel: a mail goes to all of its recipients, in as many transactions as the relay wants."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery.addressees import Addressees
from app.delivery.parcel import Parcel
from app.domain.envelope import Delivery, QueuedMail
from app.domain.errors import AddressError
from app.domain.outcome import Deferred, Outcome, Reply, Scope
from tests.support.factories import REFUSED, RELAY_DOWN, SENT, many_recipients
from tests.support.sending import return_path

ONE_TOO_MANY = Deferred(Scope.RECIPIENT, "too many", Reply(452, "", "4.5.3"), too_many_recipients=True)


def a_parcel(recipients: int) -> Parcel:
    """Return a parcel that nobody has had yet."""
    mail = many_recipients(recipients)
    return parcel_of(mail, *mail.deliveries)


def parcel_of(mail: QueuedMail, *asked: Delivery, refused: Mapping[int, Outcome] = MappingProxyType({})) -> Parcel:
    """Return a parcel to these."""
    return Parcel(mail, Addressees(asked, refused), data=b"hi\r\n", envelope_id="id", return_path=return_path)


def send(parcel: Parcel, *answers: Outcome, most: int = 100) -> int | None:
    """Have one transaction answered."""
    mail = parcel.next_transaction(most)
    assert len(mail.recipients) == len(answers)
    return parcel.note(answers)


def test_one_transaction_for_all() -> None:
    """What goes out is what was rendered, with the id for bounces, and each gets the outcome of his place."""
    parcel = a_parcel(3)
    mail = parcel.next_transaction(100)
    assert mail.recipients == ("r0@example.org", "r1@example.org", "r2@example.org")
    assert (mail.data, mail.envelope_id) == (b"hi\r\n", "id")
    assert parcel.is_complete
    assert parcel.note([SENT, REFUSED, SENT]) is None
    assert parcel.outcomes == {0: SENT, 1: REFUSED, 2: SENT}


def test_only_those_to_try() -> None:
    """Outcomes belong to the positions in the envelope, whoever is left out."""
    mail = many_recipients(4)
    parcel = parcel_of(mail, mail.deliveries[3], mail.deliveries[1])
    assert parcel.next_transaction(100).recipients == ("r3@example.org", "r1@example.org")
    parcel.note([SENT, REFUSED])
    assert parcel.outcomes == {3: SENT, 1: REFUSED}


def test_a_long_list_is_split() -> None:
    """The relay never gets more than it takes, and everybody is asked once, in order."""
    parcel = a_parcel(5)
    sizes = []
    while not parcel.is_complete:
        mail = parcel.next_transaction(2)
        sizes.append(mail.recipients)
        parcel.note([SENT] * len(mail.recipients))
    assert [len(recipients) for recipients in sizes] == [2, 2, 1]
    assert sorted(address for recipients in sizes for address in recipients) == [f"r{n}@example.org" for n in range(5)]
    assert parcel.outcomes == dict.fromkeys(range(5), SENT)


def test_who_was_one_too_many_is_next() -> None:
    """A relay that says so with the third recipient takes two at a time; the rest goes on at once."""
    parcel = a_parcel(4)
    assert send(parcel, SENT, SENT, ONE_TOO_MANY, ONE_TOO_MANY) == 2
    assert not parcel.is_complete
    assert parcel.next_transaction(2).recipients == ("r2@example.org", "r3@example.org")


def test_who_was_refused_counts_as_answered() -> None:
    """Only those who were too many come again."""
    parcel = a_parcel(3)
    send(parcel, SENT, REFUSED, ONE_TOO_MANY)
    assert parcel.next_transaction(100).recipients == ("r2@example.org",)
    assert parcel.outcomes == {0: SENT, 1: REFUSED}


def test_a_relay_that_takes_none_is_not_asked_for_ever() -> None:
    """Then the recipients wait like any that are deferred."""
    parcel = a_parcel(2)
    assert send(parcel, ONE_TOO_MANY, ONE_TOO_MANY) is None
    assert parcel.is_complete
    assert parcel.outcomes == {0: ONE_TOO_MANY, 1: ONE_TOO_MANY}


def test_a_fault_between_transactions_leaves_what_was_answered() -> None:
    """Who has the mail keeps it, the rest is not come to."""
    parcel = a_parcel(3)
    send(parcel, SENT, most=1)
    parcel.fail_rest(RELAY_DOWN)
    assert parcel.is_complete
    assert parcel.outcomes == {0: SENT, 1: RELAY_DOWN, 2: RELAY_DOWN}


def test_a_fault_in_a_transaction_is_that_of_all_who_were_in_it() -> None:
    """Nobody is without an outcome."""
    parcel = a_parcel(3)
    send(parcel, SENT, most=1)
    parcel.next_transaction(1)
    parcel.fail(RELAY_DOWN)
    assert parcel.outcomes == {0: SENT, 1: RELAY_DOWN, 2: RELAY_DOWN}


@given(st.integers(1, 12), st.lists(st.integers(0, 12), min_size=30, max_size=30))
def test_nobody_is_lost_or_sent_twice(recipients: int, taken: list[int]) -> None:
    """However few a relay takes each time, each recipient has one outcome in the end, within a bound of asking."""
    parcel = a_parcel(recipients)
    sent: list[str] = []
    most = 100
    while not parcel.is_complete:
        mail = parcel.next_transaction(most)
        count = min(taken.pop(), len(mail.recipients))
        sent += mail.recipients[:count]
        learnt = parcel.note([SENT] * count + [ONE_TOO_MANY] * (len(mail.recipients) - count))
        most = most if learnt is None else max(1, min(most, learnt))
    assert sorted(parcel.outcomes) == list(range(recipients))
    assert len(sent) == len(set(sent)) == sum(outcome is SENT for outcome in parcel.outcomes.values())


def test_an_address_that_cannot_be_said() -> None:
    """It is found before anything is connected."""
    mail = many_recipients(1, address="a b@example.org")
    with pytest.raises(AddressError):
        parcel_of(mail, Delivery(0))


def test_who_is_refused_here_is_in_no_transaction() -> None:
    """His outcome is there from the start."""
    mail = many_recipients(3)
    parcel = parcel_of(mail, mail.deliveries[0], mail.deliveries[2], refused={1: REFUSED})
    assert send(parcel, SENT, SENT) is None
    assert parcel.outcomes == {0: SENT, 1: REFUSED, 2: SENT}


# An address of each recipient for bounces


def verp(mail: QueuedMail) -> QueuedMail:
    """Return the mail as one whose bounces tell by their address whom they are about."""
    return replace(mail, letterhead=replace(mail.letterhead, verp="box@example.org"))


def test_each_recipient_has_a_transaction_and_a_sender() -> None:
    """However many the relay would take at once; the rest is the same for all."""
    mail = verp(many_recipients(3))
    parcel = parcel_of(mail, *mail.deliveries)
    sent = []
    while not parcel.is_complete:
        sent.append(parcel.next_transaction(100))
        parcel.note([SENT])
    assert [(each.sender, each.recipients) for each in sent] == [
        (f"box+{number}@example.org", (f"r{number}@example.org",)) for number in range(3)
    ]
    assert {(each.data, each.envelope_id) for each in sent} == {(b"hi\r\n", "id")}


def test_the_sender_tells_the_place_in_the_letterhead() -> None:
    """Not that among those who wait still."""
    mail = verp(many_recipients(4))
    assert parcel_of(mail, mail.deliveries[3]).next_transaction(100).sender == "box+3@example.org"


def test_one_too_many_alone_waits() -> None:
    """A relay that takes nobody is asked once for each recipient."""
    mail = verp(many_recipients(2))
    parcel = parcel_of(mail, *mail.deliveries)
    assert [send(parcel, ONE_TOO_MANY), send(parcel, SENT)] == [None, None]
    assert parcel.is_complete
    assert parcel.outcomes == {0: ONE_TOO_MANY, 1: SENT}


def test_a_sender_that_cannot_be_said() -> None:
    """It is found before anything is connected, as any other address is."""
    mail = many_recipients(1)
    broken = replace(mail, letterhead=replace(mail.letterhead, verp="a b@example.org"))
    with pytest.raises(AddressError):
        parcel_of(broken, Delivery(0))
