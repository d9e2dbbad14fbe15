"""Hands an alert in: kept in the spool, posted, and tried again while the daemon cannot take it.

It lies in the spool before anything is waited for, so that nothing that ends the command can lose it; and nobody takes
it from there while the command itself hands it in.
"""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.cli.client import ClientError
from app.cli.held_file import HeldFile, SpoolError
from app.cli.native import lighter_of
from app.cli.patience import Patience
from app.cli.posting import AlertPoster, post_fitting
from app.cli.spool import Spool
from app.domain.spooled import SpooledAlert


@dataclass(frozen=True, slots=True)
class Accepted:
    """The daemon has it. `answer` is what it said; empty if it took the alert out of the spool."""

    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """It lies in the spool, in `file`. `error` is why."""

    file: Path
    error: ClientError


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The daemon refused it, or cannot take it and the spool does not work either: `spool_error` says why."""

    error: ClientError
    spool_error: str = ""


HandedIn = Accepted | Kept | NotTaken


class Handover:
    """One alert on its way to the daemon, from `__enter__` on in the spool; that may be the reason why there is none.

    `hand_in` says what becomes of it. Without that it stays in the spool, unless it is told to be `needless`.
    """

    def __init__(self, alert: SpooledAlert, *, daemon: AlertPoster, spool: Spool | SpoolError) -> None:
        self._alert = alert
        self._daemon = daemon
        self._spool = spool
        self._held: HeldFile | None = None
        self._spool_error = ""

    def __enter__(self) -> Self:
        try:
            self._held = _kept(self._alert, self._spool)
        except SpoolError as error:
            self._spool_error = str(error)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._held:
            self._held.let_go()

    def hand_in(self, patience: Patience) -> HandedIn:
        """Return what became of the alert. One that the daemon finds too large goes in a smaller form."""
        while True:
            try:
                answer = post_fitting(self._daemon, self._alert)
            except ClientError as error:
                if error.is_final:
                    self.needless()
                    return NotTaken(error)
                self.settle()
                if patience.lasts(error):
                    continue
                return self._left(error)
            self.needless()
            return Accepted(answer)

    def needless(self) -> None:
        """Keep it no more."""
        if self._held:
            self._held.remove()

    def settle(self) -> None:
        """Bring the file to the disk: from now on it may take long, and the machine may lose its power."""
        if self._held and not self._spool_error:
            try:
                self._held.make_durable()
            except SpoolError as error:
                self._spool_error = str(error)

    def _left(self, error: ClientError) -> HandedIn:
        if self._held is None or self._spool_error:
            return NotTaken(error, self._spool_error)
        return Kept(self._held.file, error) if self._held.file.exists() else Accepted({})


def in_words(outcome: Kept | NotTaken) -> str:
    """Return what is said of an alert that the daemon does not have."""
    if isinstance(outcome, Kept):
        return f"{outcome.error}\nmailalert: the alert is kept in {outcome.file} and will be sent from there"
    if outcome.spool_error:
        return f"{outcome.error}\nmailalert: the spool cannot keep it: {outcome.spool_error}"
    return str(outcome.error)


def _kept(alert: SpooledAlert, spool: Spool | SpoolError) -> HeldFile:
    """Keep all of it, or as much as the disk has room for. Raises SpoolError."""
    if isinstance(spool, SpoolError):
        raise spool
    try:
        return spool.hold(alert)
    except SpoolError as error:
        reason = error
    for lighter in lighter_of(alert):
        try:
            return spool.hold(lighter)
        except SpoolError:
            continue
    raise reason
