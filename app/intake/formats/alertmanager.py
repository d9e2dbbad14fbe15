"""Prometheus Alertmanager's webhook, version 4: one alert for each of the group that it tells of."""

import re

from app.domain.alert import Alert
from app.intake.format import Format, Payload
from app.intake.incoming import Reading
from app.intake.labelled import Item, host_of, read_group, read_labelled, status_of
from app.intake.lenient import first_text, text_of

TOOL = "alertmanager"
GROUP_FIELDS = frozenset({"receiver", "groupKey", "groupLabels", "commonLabels", "truncatedAlerts"})
NOT_OURS = frozenset({"orgId", "state"})  # Grafana's webhook is the same but for these

_QUOTED = re.compile(r"\\(.)")


def _alert(group: Item, item: Item) -> Alert:
    return read_labelled(
        item,
        tool=TOOL,
        status=status_of(first_text(item, "status") or text_of(group.get("status"))),
        source=host_of(group.get("externalURL")),
        links=[
            (text_of(item.get("generatorURL")), "Source of the alert"),
            (text_of(group.get("externalURL")), "Alertmanager"),
        ],
        extra=_receiver(group),
    )


def _receiver(group: Item) -> dict[str, str]:
    """Alertmanager quotes the name as if it were a regular expression."""
    name = _QUOTED.sub(r"\1", text_of(group.get("receiver")))
    return {"receiver": name} if name else {}


def _recognises(payload: Payload) -> bool:
    group = payload.object
    return isinstance(group.get("alerts"), list) and not GROUP_FIELDS.isdisjoint(group) and NOT_OURS.isdisjoint(group)


def _read(payload: Payload) -> Reading:
    return read_group(payload, _alert)


FORMAT = Format(name=TOOL, tool="Prometheus Alertmanager, webhook", recognises=_recognises, read=_read)
