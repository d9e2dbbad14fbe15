"""The real bodies in `tests/payloads/`, as a tool sends them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.domain.alert import Alert
from app.intake.format import Format, Payload
from app.intake.registry import all_formats

PAYLOADS = Path(__file__).parent.parent / "payloads"
AT = datetime(2026, 11, 22, 21, 2, tzinfo=UTC)  # while the alert of Prometheus fires


def names() -> list[str]:
    """Return the names of all JSON bodies there are."""
    return sorted(path.stem for path in PAYLOADS.glob("*.json"))


def document(name: str) -> Any:
    """Return the JSON value of one."""
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def payload_of(value: object, *, at: datetime = AT) -> Payload:
    """Return the payload that a JSON value makes when it is posted."""
    return Payload(body=json.dumps(value).encode(), media_type="application/json", document=value, at=at)


def format_of(name: str) -> Format:
    """Return the format whose name the name of a body begins with."""
    fitting = [known for known in all_formats().values() if name.startswith(known.name)]
    assert fitting, (
        f"{name}.json in tests/payloads/ begins with the name of no format: name it after one of "
        f"{', '.join(sorted(all_formats()))}, or give the format this name"
    )
    return max(fitting, key=lambda known: len(known.name))


def read_all(name: str, value: object) -> tuple[Alert, ...]:
    """Return the alerts that the format `name` reads from a JSON value."""
    return all_formats()[name].read(payload_of(value)).alerts


def read_one(name: str, value: object) -> Alert:
    """Return the only alert that the format `name` reads from a JSON value."""
    (alert,) = read_all(name, value)
    return alert
