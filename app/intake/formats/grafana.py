"""Grafana Alerting's webhook: that of Alertmanager, with the values of the query and links to panels."""

from app.domain.alert import Alert
from app.intake.format import Format, Payload
from app.intake.incoming import Reading
from app.intake.labelled import Item, host_of, read_group, read_labelled, status_of
from app.intake.lenient import first_text, object_of, text_of

TOOL = "grafana"
MARKS = frozenset({"orgId", "state"})
LINKS = (
    ("panelURL", "Panel"),
    ("dashboardURL", "Dashboard"),
    ("generatorURL", "Alert rule"),
    ("silenceURL", "Silence this alert"),
    ("imageURL", "Picture of the panel"),
)
OVER = "ok"  # the `state` of a group in which all is well again; the other is "alerting"


def _alert(group: Item, item: Item) -> Alert:
    receiver = text_of(group.get("receiver"))
    return read_labelled(
        item,
        tool=TOOL,
        status=status_of(first_text(item, "status") or _group_status(group)),
        source=host_of(group.get("externalURL")),
        lines=_values(item),
        links=[(text_of(item.get(field)), title) for field, title in LINKS],
        extra={"receiver": receiver} if receiver else {},
    )


def _group_status(group: Item) -> str:
    return first_text(group, "status") or ("resolved" if text_of(group.get("state")) == OVER else "")


def _values(item: Item) -> list[str]:
    """Return a line of what the query measured; `values` is null where the alert is resolved or has no data."""
    values = ", ".join(f"{name} = {text_of(value)}" for name, value in object_of(item.get("values")).items())
    values = values or text_of(item.get("valueString")).strip()
    return [f"Values: {values}"] if values else []


def _recognises(payload: Payload) -> bool:
    group = payload.object
    return isinstance(group.get("alerts"), list) and not MARKS.isdisjoint(group)


def _read(payload: Payload) -> Reading:
    return read_group(payload, _alert)


FORMAT = Format(name=TOOL, tool="Grafana Alerting, webhook", recognises=_recognises, read=_read)
