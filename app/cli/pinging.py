"""Reports start and end of a command to a heartbeat of the daemon."""

from app.cli.client import ClientError, Daemon, quoted
from app.cli.ending import warn
from app.cli.patience import Patience

START_WAIT_S = 2.0  # a command is not kept from running for longer


def ping_start(daemon: Daemon, name: str) -> None:
    """Say that it starts: one try, for the command should not wait."""
    try:
        Daemon(daemon.url, daemon.token, timeout_s=START_WAIT_S).ping(f"/heartbeats/{quoted(name)}/start")
    except ClientError as error:
        warn(f"the heartbeat {name} does not know of the start: {error}")


def ping_end(daemon: Daemon, name: str, code: int, text: str, patience: Patience) -> bool:
    """Say how it ended, with a text that the heartbeat keeps; return whether it has raised an alert."""
    while True:
        try:
            return daemon.ping(f"/heartbeats/{quoted(name)}/{code}", text)
        except ClientError as error:
            if patience.lasts(error):
                continue
            warn(f"the heartbeat {name} does not know of the end: {error}")
            return False
