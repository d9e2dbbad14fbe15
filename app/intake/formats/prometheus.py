"""What Prometheus itself sends to an Alertmanager: a bare array of objects with labels.

While an alert fires its `endsAt` lies in the future (four times the interval at which it is sent again); it is
resolved once that has passed.
"""

from datetime import datetime
from functools import partial

from app.domain.alert import Alert, Status
from app.intake.batches import read_each
from app.intake.format import Format, Payload
from app.intake.formats.native import MAX_ALERTS
from app.intake.incoming import Reading
from app.intake.labelled import Item, host_of, read_labelled
from app.intake.lenient import moment_of, text_of

TOOL = "prometheus"


def _alert(at: datetime, item: Item) -> Alert:
    ends_at = moment_of(item.get("endsAt"))
    generator = text_of(item.get("generatorURL"))
    return read_labelled(
        item,
        tool=TOOL,
        status=Status.RESOLVED if ends_at is not None and ends_at <= at else Status.FIRING,
        source=host_of(generator),
        links=[(generator, "Source of the alert")],
    )


def _recognises(payload: Payload) -> bool:
    """One alert that Prometheus would send is enough: what stands beside it must not take it away."""
    items = [item for item in payload.array[:MAX_ALERTS] if isinstance(item, dict)]
    return any(isinstance(item.get("labels"), dict) for item in items)


def _read(payload: Payload) -> Reading:
    return Reading(read_each(payload.array, partial(_alert, payload.at)), is_batch=True)


FORMAT = Format(name=TOOL, tool="Prometheus", recognises=_recognises, read=_read)
