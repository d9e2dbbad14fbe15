"""What the recipients of a mail say: `receiver+severity@anything` chooses who gets the alert, and how bad it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.domain.alert import Severity
from app.intake.severities import severity_of


@dataclass(frozen=True, slots=True)
class Addressing:
    """Names of receivers in order, each once, and the highest severity that a recipient names; None for none.

    Without a receiver the routes decide; with `also_routed` they do so besides.
    """

    receivers: tuple[str, ...] = ()
    also_routed: bool = False
    severity: Severity | None = None


def read_recipients(recipients: Iterable[str], receivers: Mapping[str, str]) -> Addressing:
    """Return what they say; `receivers` are the names of all by their lower case, for addresses are written so.

    Where some recipients are receivers and others are not, the alert is routed for the others.
    """
    locals_and_words = [_parts(recipient) for recipient in recipients]
    names = [receivers.get(local.lower()) for local, _ in locals_and_words]
    chosen = tuple(dict.fromkeys(filter(None, names)))
    severities = [severity_of(word) for _, word in locals_and_words if word]
    return Addressing(
        receivers=chosen,
        also_routed=bool(chosen) and None in names,
        severity=max(severities, key=lambda severity: severity.rank, default=None),
    )


def _parts(recipient: str) -> tuple[str, str]:
    """Return what stands before the last plus sign, and behind it up to the @ (RFC 5233 section 1 calls it detail)."""
    local, at, _ = recipient.rpartition("@")
    name, plus, word = (local if at else recipient).strip('"').rpartition("+")
    return (name, word) if plus else (word, "")
