"""The ping: what is said to a heartbeat, and how much may come along. Clients import it, so it needs nothing else."""

from dataclasses import dataclass
from enum import StrEnum

MAX_OUTPUT = 100 * 1024  # bytes that are kept of what a ping brings along, from its end, where the error stands


class PingKind(StrEnum):
    """What a ping says."""

    START = "start"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Ping:
    """What has come: its kind, and the exit code if it told one."""

    kind: PingKind = PingKind.SUCCESS
    exit_code: int | None = None


SIGN_OF_LIFE = Ping()
