"""What the recipients of a mail say: `receiver+severity@anything` chooses who gets the alert, and how bad it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.domain.alert import Severity
from app.domain.receiver import DEFAULT_RECEIVER
from app.intake.severities import severity_of


@dataclass(frozen=True, slots=True)
class Addressing:
    """Names of receivers in order, each once, and the highest severity that a recipient names; None for none.

    Without a receiver the routes decide.
    """

    receivers: tuple[str, ...] = ()
    severity: Severity | None = None


def read_recipients(recipients: Iterable[str], receivers: Mapping[str, str]) -> Addressing:
    """Return what they say; `receivers` are the names of all by their lower case, for addresses are written so.

    Where some recipients are receivers and others are not, the default receiver has it for the others.
    """
    locals_and_words = [_parts(recipient) for recipient in recipients]
    names = [receivers.get(local.lower(), DEFAULT_RECEIVER) for local, _ in locals_and_words]
    is_chosen = any(local.lower() in receivers for local, _ in locals_and_words)
    severities = [severity_of(word) for _, word in locals_and_words if word]
    return Addressing(
        receivers=tuple(dict.fromkeys(names)) if is_chosen else (),
        severity=max(severities, key=lambda severity: severity.rank, default=None),
    )


def _parts(recipient: str) -> tuple[str, str]:
    """Return what stands before the last plus sign, and behind it up to the @ (RFC 5233 section 1 calls it detail)."""
    local, at, _ = recipient.rpartition("@")
    name, plus, word = (local if at else recipient).strip('"').rpartition("+")
    return (name, word) if plus else (word, "")
