"""How long to wait before the next attempt. Randomness is passed in as a float from 0 up to 1."""

from datetime import timedelta

# Quick at first, because most faults pass within minutes; hourly later, as relays expect (RFC 5321 section 4.5.4.1).
_RETRY_SECONDS = (30, 60, 120, 300, 600, 1200, 1800, 3600)
_RELAY_SECONDS = (1, 2, 5, 15, 30, 60)
_CONFIGURATION_MINUTES = (1, 2, 4, 8, 15)  # a wrong password tried often locks the account
_SPREAD = 0.2  # ± 20 %: what was deferred together does not come back together

AMBIGUOUS_DELAY = timedelta(seconds=60)  # time for a relay that did take the mail to know its Message-ID


def retry_delay(attempts: int, random: float) -> timedelta:
    """Return the wait after the `attempts`-th failed attempt (from 1) at a message or a recipient."""
    return timedelta(seconds=_step(_RETRY_SECONDS, attempts) * (1 - _SPREAD + 2 * _SPREAD * random))


def shortest_retry_delay(attempts: int) -> timedelta:
    """Return the least that `retry_delay` can give."""
    return retry_delay(attempts, 0)


def relay_pause(failures: int, random: float) -> timedelta:
    """Return the pause of a relay after its `failures`-th fault in a row (from 1).

    Full jitter: anything from nothing to the step, so that many senders do not return as one.
    """
    return timedelta(seconds=_step(_RELAY_SECONDS, failures) * random)


def configuration_pause(failures: int) -> timedelta:
    """Return the pause after the `failures`-th configuration fault in a row (from 1): 1 min up to 15 min."""
    return timedelta(minutes=_step(_CONFIGURATION_MINUTES, failures))


def _step(steps: tuple[int, ...], number: int) -> int:
    return steps[min(max(number, 1), len(steps)) - 1]
