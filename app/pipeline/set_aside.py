"""The recipients that get no mail any more, in memory: every attempt asks for them, and people are told of them."""

from app.domain.address import folded
from app.domain.alarm import Alarm
from app.domain.bounce import SetAsideAddress
from app.domain.mailbox_alarms import set_aside_alarm
from app.domain.ports import SetAsideStore


class SetAside:
    """A copy of what the journal holds, by the folded address."""

    def __init__(self, store: SetAsideStore) -> None:
        self._store = store
        self._entries: dict[str, SetAsideAddress] = {}

    async def load(self) -> None:
        """Take over what the journal holds; nobody may add or release meanwhile."""
        self._entries = {folded(entry.address): entry for entry in await self._store.set_aside()}

    def add(self, entry: SetAsideAddress) -> None:
        """Take one that the journal has just set aside."""
        self._entries[folded(entry.address)] = entry

    def discard(self, address: str) -> None:
        """Let go of one that the journal has just released."""
        self._entries.pop(folded(address), None)

    def includes(self, address: str) -> bool:
        """Tell whether no mail goes there."""
        return bool(self._entries) and folded(address) in self._entries

    def troubles(self) -> list[Alarm]:
        """Return an alarm for each: it lasts until somebody corrects or releases the address, also over a restart."""
        return [set_aside_alarm(entry) for entry in self._entries.values()]
