"""The heartbeats of the journal in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.domain.alert import Severity
from app.domain.heartbeat import HeartbeatRecord

ONLY_IN_SETTINGS = {"severity": Severity.ERROR, "receiver": "", "matchers": ()}


@dataclass(slots=True)
class MemoryHeartbeats:
    """Keeps them by name."""

    records: dict[str, HeartbeatRecord] = field(default_factory=dict)

    def put(self, records: Sequence[HeartbeatRecord]) -> None:
        """Take the records; one without an output leaves that as it is."""
        for record in records:
            output = self.output(record.heartbeat.name) if record.output is None else record.output
            self.records[record.heartbeat.name] = replace(record, output=output)

    def all(self) -> list[HeartbeatRecord]:
        """Return all of them as the journal reads them."""
        return [
            HeartbeatRecord(replace(record.heartbeat, **ONLY_IN_SETTINGS), record.pulse)
            for record in self.records.values()
        ]

    def output(self, name: str) -> bytes:
        """Return what the last ping of this one brought along."""
        record = self.records.get(name)
        return (record and record.output) or b""

    def forget(self, name: str) -> None:
        """Remove this one, if it is there."""
        self.records.pop(name, None)
