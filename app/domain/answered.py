"""What a mail of ours answers, if a person wrote to us first."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answered:
    """The person's mail, and the alert that both are about.

    `message_id` and `references` have their angle brackets, as they go into the headers (RFC 5322 section 3.6.4).
    """

    message_id: str
    references: tuple[str, ...]
    alert_id: int
