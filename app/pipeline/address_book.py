"""The address book: to whom an alert goes, and under which letterheads its mails are made."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from app.domain.address import Mailbox
from app.domain.alert import Alert
from app.domain.envelope import Letterhead
from app.domain.receiver import DEFAULT_RECEIVER, Receiver
from app.domain.route import Route, receivers_for
from app.domain.text import one_line, shorten

MAX_LISTS = 256  # of people named by alerts that are remembered; a list that is not costs a look-up in the journal
MAX_SHOWN_NAME = 64  # characters of a wrong name that an answer repeats
ROOT = Route(receivers=(DEFAULT_RECEIVER,))

Keep = Callable[[Letterhead], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Destinations:
    """The letterheads of the mails to make, one for each receiver, and what the sender should know.

    Without any mail to make, `kept_under` is the letterhead (of no recipient) under which the alert stays on record.
    """

    letterhead_ids: tuple[int, ...]
    warnings: tuple[str, ...] = ()
    kept_under: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A receiver, and the number of the letterhead of its mails."""

    receiver: Receiver
    letterhead_id: int


class PeopleNamed:
    """Knows under which letterheads mails go to people whom an alert itself names."""

    def __init__(self, *, letterhead: Letterhead, keep: Keep) -> None:
        """All are like `letterhead` but for the people; `keep` gives each its number, or raises JournalUnavailable."""
        self._letterhead = letterhead
        self._keep = keep
        self._known: OrderedDict[tuple[Mailbox, ...], int] = OrderedDict()

    async def letterhead_id(self, people: tuple[Mailbox, ...]) -> int:
        """Return the number of the letterhead of mails to just these. Raises JournalUnavailable."""
        if people in self._known:
            self._known.move_to_end(people)
            return self._known[people]
        number = await self._keep(replace(self._letterhead, recipients=people))
        self._known[people] = number
        if len(self._known) > MAX_LISTS:
            self._known.popitem(last=False)
        return number


class AddressBook:
    """Knows the receivers and the routes to them.

    An address that two receivers have gets two mails: each is of another list, and filed as such.
    """

    def __init__(
        self, *, receivers: Mapping[str, Entry], kept_under: int, people: PeopleNamed | None = None, root: Route = ROOT
    ) -> None:
        """`receivers` are those that the routes name, and more. Without `people` no alert can name any."""
        self._receivers = receivers
        self._kept_under = kept_under
        self._people = people
        self._root = root
        self._usual = self._only_answer()

    @classmethod
    def of_one(cls, letterhead_id: int) -> "AddressBook":
        """Return a book in which everything goes the same way."""
        return cls(receivers={DEFAULT_RECEIVER: Entry(Receiver(name=DEFAULT_RECEIVER), letterhead_id)}, kept_under=0)

    def _only_answer(self) -> Destinations | None:
        """Return where everything goes that names nobody, if there is nothing to decide."""
        entries = [self._receivers[name] for name in self._root.receivers]
        if self._root.routes or any(not entry.receiver.takes_all for entry in entries):
            return None
        return Destinations(tuple(entry.letterhead_id for entry in entries))

    @property
    def nowhere(self) -> Destinations:
        """Where an alert goes of which nobody is told."""
        return Destinations((), kept_under=self._kept_under)

    async def destinations_of(self, alert: Alert) -> Destinations:
        """Return where the alert goes. Raises JournalUnavailable when it names people for the first time."""
        if self._usual is not None and not alert.receivers and not alert.to:
            return self._usual
        if not alert.to or self._people is None:
            return self._by_receivers(alert)
        named = await self._people.letterhead_id(alert.to)
        if not alert.also_routed and not alert.receivers:
            return Destinations((named,))
        besides = self._by_receivers(alert)
        both = dict.fromkeys((named, *besides.letterhead_ids))  # one, if the default receiver is just these people
        return replace(besides, letterhead_ids=tuple(both))

    def _by_receivers(self, alert: Alert) -> Destinations:
        """A name that is none leads to where the alert would go without: nothing is lost by a slip of the pen."""
        unknown = [name for name in alert.receivers if name not in self._receivers]
        names = [name for name in alert.receivers if name in self._receivers]
        if unknown or not names or alert.also_routed:
            names += receivers_for(self._root, alert)
        entries = [self._receivers[name] for name in dict.fromkeys(names)]
        taking = tuple(
            entry.letterhead_id
            for entry in entries
            if entry.receiver.takes(alert.severity) or alert.severity_is_assumed
        )
        warnings = [_no_receiver(name) for name in unknown]
        if not taking and not alert.to:
            warnings.append(_kept(alert, entries))
        return Destinations(taking, tuple(warnings), kept_under=self._kept_under)


def _no_receiver(name: str) -> str:
    return f'receiver: there is no "{shorten(one_line(name), MAX_SHOWN_NAME)}"; the alert goes where the routes lead'


def _kept(alert: Alert, entries: list[Entry]) -> str:
    names = ", ".join(entry.receiver.name for entry in entries)
    return f"no receiver takes an alert of severity {alert.severity} ({names}); it is on record, and nobody is mailed"
