"""Reports start and end of a command to a heartbeat of the daemon."""

from urllib.parse import quote

from app.cli.client import ClientError, Daemon
from app.cli.ending import warn
from app.cli.patience import Patience

START_WAIT_S = 2.0  # a command is not kept from running for longer
MAX_TEXT = 100 << 10  # bytes; what a heartbeat keeps


def ping_start(daemon: Daemon, name: str) -> None:
    """Say that it starts: one try, for the command should not wait."""
    try:
        Daemon(daemon.url, daemon.token, timeout_s=START_WAIT_S).ping(f"/heartbeats/{quote(name, safe='')}/start")
    except ClientError as error:
        warn(f"the heartbeat {name} does not know of the start: {error}")


def ping_end(daemon: Daemon, name: str, code: int, text: str, patience: Patience) -> bool:
    """Say how it ended, with a text that the heartbeat keeps; return whether the daemon has taken that."""
    kept = text.encode()[:MAX_TEXT].decode(errors="ignore")
    while True:
        try:
            daemon.ping(f"/heartbeats/{quote(name, safe='')}/{code}", kept)
        except ClientError as error:
            if patience.lasts(error):
                continue
            warn(f"the heartbeat {name} does not know of the end: {error}")
            return False
        return True
