"""Empties this user's own spool: the daemon cannot look into it, so the user's next command posts what lies there."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.cli.client import ClientError, Daemon
from app.cli.ending import warn
from app.cli.held_file import SpoolError
from app.cli.posting import TOO_LARGE, post_fitting
from app.cli.spool import BAD, Spool, read_spooled, usable_own_spool, usable_spool
from app.domain.spooled import BrokenSpoolFile

BESIDE_FILES = 100  # alerts that a command posts beside its own work
BESIDE_S = 5.0  # seconds that it takes for that, and for which one post may hang


@dataclass(frozen=True, slots=True)
class Emptied:
    """How many alerts were posted, and why it ended before all were, if it did."""

    posted: int
    error: ClientError | None = None


def empty_beside(daemon: Daemon, environ: Mapping[str, str]) -> None:
    """Post a few of the waiting alerts, silently: the next command goes on."""
    quick = Daemon(daemon.url, daemon.token, timeout_s=BESIDE_S)
    for spool in spools_to_empty(environ, daemon.url):
        empty(quick, spool, most=BESIDE_FILES, within_s=BESIDE_S)


def spools_to_empty(environ: Mapping[str, str], url: str) -> list[Spool]:
    """Return the spools that only this user's commands empty; the named one, and the usual one besides."""
    found: dict[Path, Spool] = {}
    for spool in (usable_spool(environ, url), usable_own_spool(environ)):
        if not isinstance(spool, SpoolError) and not spool.is_shared:
            found[spool.folder] = spool
    return list(found.values())


def empty(
    daemon: Daemon,
    spool: Spool,
    *,
    most: int,
    within_s: float,
    monotonic: Callable[[], float] = time.monotonic,
) -> Emptied:
    """Post up to so many alerts, the oldest first, and remove them. Ends at the first that the daemon cannot take.

    One that is refused, or broken, is put aside under another name and told on stderr. Does nothing while another
    process does the same.
    """
    files = spool.files()
    if not files:
        return Emptied(0)
    until, posted = monotonic() + within_s, 0
    with spool.emptying() as is_ours:
        if not is_ours:
            return Emptied(0)
        for file in files[:most]:
            if monotonic() > until:
                break
            try:
                posted += _post(daemon, file)
            except ClientError as error:
                return Emptied(posted, error)
    return Emptied(posted)


def _post(daemon: Daemon, file: Path) -> bool:
    """Return whether the alert was posted. Raises ClientError if the daemon could take it another time."""
    try:
        alert = read_spooled(file)
        if alert is None:
            return False
        post_fitting(daemon, alert)
    except FileNotFoundError:  # whoever wrote it has posted it
        return False
    except (OSError, BrokenSpoolFile) as error:
        _put_aside(file, error)
        return False
    except ClientError as error:
        if not error.is_final and error.status != TOO_LARGE:
            raise
        _put_aside(file, error)
        return False
    file.unlink(missing_ok=True)
    return True


def _put_aside(file: Path, error: Exception) -> None:
    aside = file.with_name(file.name + BAD)
    try:
        file.rename(aside)
    except OSError as failed:
        warn(f"cannot put {file} aside: {failed.strerror}")
        return
    warn(f"an alert of the spool was not taken ({error}); it is in {aside}")
