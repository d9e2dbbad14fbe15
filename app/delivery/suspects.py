"""Mails that a relay failed at again and again: perhaps they are the cause, and then they pay for the attempt."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from app.domain.outcome import Deferred, Outcome, Scope
from app.domain.verdict import is_uncharged

# Faults of the relay in a row, each after it had accepted MAIL. Without an end, one mail that makes a relay
# hang up would be the next to be tried for ever, and the queue would wait behind it.
UNCHARGED_FAULTS = 3


class Suspects:
    """Counts such faults for each envelope until an outcome is recorded for it."""

    def __init__(self) -> None:
        self._faults: Counter[int] = Counter()

    def charge_if_due(self, envelope_id: int, outcomes: Mapping[int, Outcome]) -> Mapping[int, Outcome]:
        """Return the outcomes as they are, or charged to the mail once it is too suspicious."""
        if not any(map(is_uncharged, outcomes.values())):
            return outcomes
        self._faults[envelope_id] += 1
        if self._faults[envelope_id] < UNCHARGED_FAULTS:
            return outcomes
        return {position: _charged(outcome) for position, outcome in outcomes.items()}

    def clear(self, envelope_id: int) -> None:
        """Forget what was counted."""
        del self._faults[envelope_id]  # a Counter does not mind if it never had it


def _charged(outcome: Outcome) -> Outcome:
    return replace(outcome, scope=Scope.MESSAGE) if isinstance(outcome, Deferred) else outcome
