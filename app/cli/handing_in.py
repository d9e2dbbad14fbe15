"""Hands an alert in: posted, tried again while the daemon cannot take it, and kept in the spool from the first failure.

It lies in the spool while the command still waits, so that nothing that ends the command can lose it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli.client import ClientError, Daemon
from app.cli.ending import REFUSED
from app.cli.native import lighter_of
from app.cli.patience import Patience
from app.cli.spool import Spool, SpoolError
from app.domain.spooled import SpooledAlert

TOO_LARGE = 413  # RFC 9110 section 15.5.14


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
    """The daemon refused it, or cannot be reached and the spool does not work either: `spool_error` says why."""

    error: ClientError
    spool_error: str = ""


HandedIn = Accepted | Kept | NotTaken


class Handover:
    """Hands alerts to one daemon, with one spool. `spool` may be the reason why there is none."""

    def __init__(self, daemon: Daemon, spool: Spool | SpoolError, patience: Patience) -> None:
        self._daemon = daemon
        self._spool = spool
        self._patience = patience

    def hand_in(self, alert: SpooledAlert) -> HandedIn:
        """Return what became of the alert. One that the daemon finds too large goes again without attachments."""
        outcome = self._try(alert)
        if isinstance(outcome, NotTaken) and outcome.error.status == TOO_LARGE:
            lighter = lighter_of(alert)
            return self._try(lighter) if lighter else outcome
        return outcome

    def _try(self, alert: SpooledAlert) -> HandedIn:
        file: Path | None = None
        spool_error = ""
        while True:
            try:
                answer = self._daemon.post_alert(alert)
            except ClientError as error:
                if error.code == REFUSED:
                    _remove(file)
                    return NotTaken(error)
                if file is None and not spool_error:
                    file, spool_error = self._keep(alert)
                if self._patience.lasts(error):
                    continue
                return self._left(file, error, spool_error)
            _remove(file)
            return Accepted(answer)

    def _keep(self, alert: SpooledAlert) -> tuple[Path | None, str]:
        if isinstance(self._spool, SpoolError):
            return None, str(self._spool)
        try:
            return self._spool.put(alert), ""
        except SpoolError as error:
            return None, str(error)

    def _left(self, file: Path | None, error: ClientError, spool_error: str) -> HandedIn:
        if file is None:
            return NotTaken(error, spool_error)
        return Kept(file, error) if file.exists() else Accepted({})


def in_words(outcome: Kept | NotTaken) -> str:
    """Return what is said of an alert that the daemon does not have."""
    if isinstance(outcome, Kept):
        return f"{outcome.error}\nmailalert: the alert is kept in {outcome.file} and will be sent from there"
    if outcome.spool_error:
        return f"{outcome.error}\nmailalert: the spool cannot keep it: {outcome.spool_error}"
    return str(outcome.error)


def _remove(file: Path | None) -> None:
    """Somebody else may have taken it, for it was the same alert; and what stays would be taken once all the same."""
    if file is None:
        return
    try:
        file.unlink(missing_ok=True)
    except OSError:
        return
