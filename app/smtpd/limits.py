"""What one client of the SMTP server may cost: bounds on size, number and time."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpLimits:
    """How much the server takes.

    `command_timeout` holds for one command. A message has `message_timeout` from the 354 on, and earns more of it with
    every byte that comes in. `held_bytes` is what all messages under way may hold in memory together.
    """

    message_bytes: int = 10_485_760
    connections: int = 100
    recipients: int = 1_000  # RFC 5321 section 4.5.3.1.8 asks for 100 at least
    command_timeout: timedelta = timedelta(minutes=5)  # RFC 5321 section 4.5.3.2.7
    message_timeout: timedelta = timedelta(minutes=2)
    message_bytes_per_second: int = 16_384  # 10 MiB may come over a link of 128 kbit/s
    held_bytes: int = 67_108_864  # four messages of the largest size that relays take, and a few hundred usual ones
