"""Transcripts of dialogues, as they stand in tests/dialogs.

Lines of `key: value` at the head tell what the test needs to know. `S:` is what the server says, `C:` what the client
must say, `TLS` that the link is encrypted now, `Q:` what the client's user asks for. `#` begins a remark.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self


@dataclass
class Transcript:
    """One transcript: its head, and its turns; lines of one side are one turn, each ended by CRLF."""

    head: dict[str, str] = field(default_factory=dict)
    turns: list[tuple[str, bytes]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what a file holds."""
        transcript = cls()
        for line in path.read_text().splitlines():
            key, _, rest = line.partition(":")
            rest = rest.removeprefix(" ")
            if line.startswith("#"):
                continue
            if key in {"S", "C", "TLS", "Q"}:
                transcript._add_turn(key, f"{rest}\r\n".encode())
            else:
                transcript.head[key] = rest
        return transcript

    def _add_turn(self, who: str, line: bytes) -> None:
        if who in {"S", "C"} and self.turns and self.turns[-1][0] == who:
            self.turns[-1] = (who, self.turns[-1][1] + line)
        else:
            self.turns.append((who, line))
