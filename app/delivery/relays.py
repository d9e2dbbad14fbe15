"""All relays together: which of them send, and for how long one could."""

from collections.abc import Sequence
from datetime import timedelta

from app.delivery.link import RelayLink
from app.domain.elapsed import Stopwatch
from app.domain.outcome import Scope, in_words
from app.domain.ports import Clock
from app.domain.vitals import RelayVitals


class Relays:
    """Lets the usable relays of the first priority send."""

    def __init__(self, links: Sequence[RelayLink], *, clock: Clock, usable_seconds: float) -> None:
        """`usable_seconds` is for how long a relay was usable in all earlier runs."""
        self.links = tuple(links)
        self._clock = clock
        self._usable = Stopwatch(clock, seconds_before=usable_seconds)
        self._trying_since: float | None = None
        for link in self.links:
            link.on_change = self._activate
        self._activate()

    def vitals(self) -> tuple[RelayVitals, ...]:
        """Return how each relay is just now."""
        return tuple(
            RelayVitals(
                name=link.name,
                usable=link.fault is None,
                reason=in_words(link.fault) if link.fault else "",
                is_configuration=link.fault is not None and link.fault.scope is Scope.CONFIGURATION,
            )
            for link in self.links
        )

    @property
    def last_reason(self) -> str:
        """Why no mail could leave, in words; empty once one has."""
        if self._trying_since is None:
            return ""
        reasons = {link.name: link.last_reason for link in self.links if link.last_reason}
        if len(self.links) == 1:
            return "".join(reasons.values())
        return "; ".join(f"{name}: {reason}" for name, reason in reasons.items())

    @property
    def blocked_for(self) -> timedelta:
        """For how long attempts have been made and no mail could leave."""
        since = self._trying_since
        return timedelta() if since is None else timedelta(seconds=self._clock.monotonic() - since)

    def usable_seconds(self) -> int:
        """Return for how long any relay has been usable, in all runs together."""
        return self._usable.seconds()

    def trying(self) -> None:
        """Note that an attempt begins."""
        if self._trying_since is None:
            self._trying_since = self._clock.monotonic()

    def mail_left(self) -> None:
        """Note that a recipient is done with."""
        self._trying_since = None

    def drain(self) -> None:
        """Let every broken relay be probed once more."""
        for link in self.links:
            link.drain()

    def stop(self) -> None:
        """Let nothing more be sent."""
        for link in self.links:
            link.stop()

    def _activate(self) -> None:
        usable = [link for link in self.links if link.fault is None]
        # One that thinks about all its mails for long takes no more just now; then others do.
        going = [link for link in usable if not link.is_stalled] or usable
        first = min((link.policy.priority for link in going), default=None)
        for link in self.links:
            others_work = any(other is not link for other in usable)
            link.set_active(active=link in usable and link.policy.priority == first, others_work=others_work)
        self._usable.run(running=bool(usable))
