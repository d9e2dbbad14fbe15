"""What it costs to recognise a body and to read the alerts in it, in this process."""

import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from app.intake.incoming import IncomingBody
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.bench.figures import Figure, rounds
from tests.bench.intake import ALERT
from tests.support.clock import NOW

PAYLOADS = Path(__file__).parents[1] / "payloads"
LIMITS = SizeLimits(body=1 << 20, attachments=10 << 20)
TIMES = 2_000
JSON = {b"content-type": b"application/json"}


def recognising() -> Iterator[Figure]:
    """Read native JSON, and the real body of each tool, from the bytes to the alerts."""
    native = json.dumps(ALERT).encode()
    microseconds, spread = rounds(lambda: _microseconds(native))
    yield Figure("native JSON, recognised and read", f"{microseconds:.1f} µs ({spread})", "under 10 µs")
    times = sorted((rounds(lambda body=body: _microseconds(body))[0], name) for name, body in _bodies())
    (low, quick), (high, slow) = times[0], times[-1]
    yield Figure(f"{len(times)} bodies of tools, the quickest: {quick}", f"{low:.0f} µs")
    yield Figure(f"the slowest: {slow}", f"{high:.0f} µs", "under 100 µs")


def _bodies() -> Iterator[tuple[str, bytes]]:
    for file in sorted(PAYLOADS.glob("*.json")):
        yield file.stem, file.read_bytes()


def _microseconds(body: bytes) -> float:
    incoming = IncomingBody(body, JSON, at=NOW)
    begun = perf_counter()
    for _ in range(TIMES):
        read_alerts(incoming, LIMITS)
    return (perf_counter() - begun) / TIMES * 1e6
