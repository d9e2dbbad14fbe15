"""The address book: which mails an alert makes, and what its sender is told of that."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.address import Mailbox
from app.domain.alert import Alert, Severity
from app.domain.envelope import Letterhead
from app.domain.receiver import Receiver
from app.domain.route import Route
from app.pipeline import address_book
from app.pipeline.address_book import ROOT, AddressBook, Destinations, Entry, PeopleNamed
from app.settings.matchers import parse_matcher
from tests.support.factories import LETTERHEAD

DEFAULT, DBA, PAGER, NOBODY = 1, 2, 3, 9  # numbers of letterheads
TO_DBA = Route(receivers=("default",), routes=(Route(receivers=("dba",), matchers=(parse_matcher("team=db"),)),))
ANN, BOB = Mailbox("ann@example.org"), Mailbox("bob@example.org")


class Shelf:
    """Keeps letterheads as the journal does, and counts how often it is asked."""

    def __init__(self) -> None:
        self.kept: list[Letterhead] = []
        self.asked = 0

    async def keep(self, letterhead: Letterhead) -> int:
        """Return the number of the letterhead, from 100 on."""
        self.asked += 1
        if letterhead not in self.kept:
            self.kept.append(letterhead)
        return 100 + self.kept.index(letterhead)


def book(shelf: Shelf | None = None, *, root: Route = ROOT, default_from: Severity = Severity.INFO) -> AddressBook:
    """Return a book of three receivers, the pager for what is critical only."""
    receivers = {
        "default": Entry(Receiver(name="default", minimum_severity=default_from), DEFAULT),
        "dba": Entry(Receiver(name="dba"), DBA),
        "pager": Entry(Receiver(name="pager", minimum_severity=Severity.CRITICAL), PAGER),
    }
    people = PeopleNamed(letterhead=replace(LETTERHEAD, recipients=()), keep=(shelf or Shelf()).keep)
    return AddressBook(receivers=receivers, kept_under=NOBODY, people=people, root=root)


async def mails(alert_of: dict[str, Any], **of: Any) -> tuple[int, ...]:
    """Return the letterheads of the mails that an alert with these fields makes."""
    return (await book(**of).destinations_of(Alert(subject="x", **alert_of))).letterhead_ids


CASES: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "by its labels": ({"labels": {"team": "db"}}, (DBA,)),
    "by no route": ({"labels": {"team": "web"}}, (DEFAULT,)),
    "by name": ({"receivers": ("dba",)}, (DBA,)),
    "by names": ({"receivers": ("default", "dba")}, (DEFAULT, DBA)),
    "by a name twice": ({"receivers": ("dba", "dba")}, (DBA,)),
    "a name against the routes": ({"receivers": ("default",), "labels": {"team": "db"}}, (DEFAULT,)),
    "a name and one that is none": ({"receivers": ("dba", "dbs")}, (DBA, DEFAULT)),
    "only a name that is none": ({"receivers": ("dbs",), "labels": {"team": "db"}}, (DBA,)),
    "a receiver that takes no such severity": ({"receivers": ("pager", "dba")}, (DBA,)),
    "and one that does": ({"receivers": ("pager",), "severity": Severity.CRITICAL}, (PAGER,)),
    "people": ({"to": (ANN, BOB)}, (100,)),
    "people and receivers besides": ({"to": (ANN,), "also_routed": True, "labels": {"team": "db"}}, (100, DBA)),
    "a name, and the routes besides": (
        {"receivers": ("pager",), "also_routed": True, "severity": Severity.CRITICAL, "labels": {"team": "db"}},
        (PAGER, DBA),
    ),
    "people and a receiver by name": ({"to": (ANN,), "receivers": ("dba",)}, (100, DBA)),
}


@pytest.mark.parametrize(("alert_of", "expected"), CASES.values(), ids=CASES.keys())
async def test_an_alert_goes_to_whom_it_should(alert_of: dict[str, Any], expected: tuple[int, ...]) -> None:
    """People whom it names come first, then receivers by name, and else the routes decide."""
    assert await mails(alert_of, root=TO_DBA) == expected


@pytest.mark.parametrize("severity", [Severity.INFO, Severity.ERROR])
async def test_a_default_receiver_with_a_minimum_does_not_get_all(severity: Severity) -> None:
    """Also where there are no routes."""
    expected = (DEFAULT,) if severity is Severity.ERROR else ()
    assert await mails({"severity": severity}, default_from=Severity.ERROR) == expected


async def test_an_alert_that_nobody_takes_is_kept_and_its_sender_told() -> None:
    """It is on record under a letterhead of no recipients."""
    found = await book().destinations_of(Alert(subject="x", receivers=("pager",)))
    said = "no receiver takes an alert of severity warning (pager); it is on record, and nobody is mailed"
    assert found == Destinations((), (said,), kept_under=NOBODY)


async def test_people_get_what_receivers_do_not_take() -> None:
    """Whoever is asked for by name of his own has no minimum, and nothing is to be warned of."""
    found = await book().destinations_of(Alert(subject="x", to=(ANN,), receivers=("pager",)))
    assert found == Destinations((100,), kept_under=NOBODY)


async def test_a_wrong_name_is_told_in_one_short_line() -> None:
    """It came from outside, so no more of it than a name has goes back."""
    found = await book().destinations_of(Alert(subject="x", receivers=("a\r\n" + "b" * 1000,)))
    (warning,) = found.warnings
    assert warning.startswith('receiver: there is no "a b')
    assert len(warning) < 150
    assert "\n" not in warning


async def test_mails_to_people_say_nothing_of_receivers() -> None:
    """Just these people, in the order of the alert."""
    shelf = Shelf()
    await book(shelf).destinations_of(Alert(subject="x", to=(BOB, ANN)))
    assert shelf.kept == [replace(LETTERHEAD, recipients=(BOB, ANN))]


async def test_the_journal_is_asked_once_for_each_list_of_people() -> None:
    """What is named again and again costs no transaction each time."""
    shelf = Shelf()
    ours = book(shelf)
    for people in ((ANN,), (BOB,), (ANN,), (ANN, BOB), (BOB,)):
        await ours.destinations_of(Alert(subject="x", to=people))
    assert shelf.asked == 3


async def test_lists_that_were_not_used_for_long_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that names others each time does not fill the memory."""
    monkeypatch.setattr(address_book, "MAX_LISTS", 2)
    shelf = Shelf()
    ours = book(shelf)
    for name in ("a", "b", "a", "c", "a", "b"):
        await ours.destinations_of(Alert(subject="x", to=(Mailbox(f"{name}@example.org"),)))
    assert shelf.asked == 4  # b comes again after c took its place


async def test_with_nothing_to_decide_there_is_one_answer() -> None:
    """No alert costs a search where there are no routes."""
    ours = book()
    assert await ours.destinations_of(Alert(subject="x")) is await ours.destinations_of(Alert(subject="y"))


async def test_alarms_have_a_book_of_their_own() -> None:
    """Whatever they say, they go to those who get alarms."""
    found = await AddressBook.of_one(7).destinations_of(Alert(subject="x", to=(ANN,)))
    assert found.letterhead_ids == (7,)


async def test_an_assumed_severity_holds_nothing_back() -> None:
    """Nobody said how bad it is: a body that was not understood must reach somebody."""
    receiver = Receiver(name="default", to=(Mailbox("ops@example.org"),), minimum_severity=Severity.CRITICAL)
    book = AddressBook(receivers={"default": Entry(receiver, 7)}, kept_under=NOBODY)
    unknown = Alert(subject="x", severity_is_assumed=True)
    assert (await book.destinations_of(unknown)).letterhead_ids == (7,)
    assert (await book.destinations_of(Alert(subject="x"))).letterhead_ids == ()
