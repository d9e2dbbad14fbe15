"""The recipients that get no mail any more, in memory: every attempt asks for them."""

from app.domain.ports import SetAsideStore


class SetAside:
    """A copy of what the journal holds, folded as addresses are compared."""

    def __init__(self, store: SetAsideStore) -> None:
        self._store = store
        self._addresses: frozenset[str] = frozenset()

    async def load(self) -> None:
        """Take over what the journal holds now."""
        self._addresses = frozenset(entry.address.lower() for entry in await self._store.set_aside())

    def add(self, address: str) -> None:
        """Take one that the journal has just set aside."""
        self._addresses |= {address.lower()}

    def includes(self, address: str) -> bool:
        """Tell whether no mail goes there."""
        return bool(self._addresses) and address.lower() in self._addresses
