"""Alerts that are made of labels and annotations, as Prometheus, Alertmanager and Grafana send them."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from app.domain.alert import NOTHING, Alert, Status
from app.intake.batches import as_json, read_each
from app.intake.draft import draft
from app.intake.format import NotUnderstood, Payload
from app.intake.incoming import Reading
from app.intake.lenient import first_text, moment_of, number_of, object_of, text_of
from app.intake.schema import clean_url
from app.intake.severities import severity_of

SEVERITY_LABELS = ("severity", "level", "priority")
# In this order they are the text of a mail; the summary is its subject.
TEXTS = ("description", "message")
URL_SCHEMES = ("http://", "https://")
URL_ENDINGS = ("_url", "_URL", "Url", "URL")
DIGEST_BYTES = 8  # as many as the fingerprint of Alertmanager has

Links = list[tuple[str, str]]
Item = Mapping[str, Any]


def read_group(payload: Payload, read: Callable[[Item, Item], Alert]) -> Reading:
    """Return what `read` makes of the group and each of its `alerts`. Raises NotUnderstood if there are none."""
    group = payload.object
    items = group.get("alerts")
    if not isinstance(items, list):
        raise NotUnderstood("`alerts` is no list")
    *others, last = read_each(items, partial(read, group))
    left_out = number_of(group.get("truncatedAlerts")) or 0
    if left_out > 0:
        note = f"The sender left {left_out:.0f} more alerts of this group out."
        last = replace(last, notes=(*last.notes, note))
    return Reading((*others, last), is_batch=True)


def read_labelled(
    item: Item,
    *,
    tool: str,
    status: Status,
    source: str = "",
    lines: Iterable[str] = (),
    links: Iterable[tuple[str, str]] = (),
    extra: Mapping[str, Any] = NOTHING,
) -> Alert:
    """Return the alert of one item.

    Its subject is the summary, else what the labels name. `lines` follow the annotations in the content, `links`
    those that annotations hold. The key is the tool's fingerprint, else one made of the labels.
    """
    labels, annotations = object_of(item.get("labels")), object_of(item.get("annotations"))
    named_links, texts = _annotations(annotations)
    return draft(
        subject=first_text(annotations, "summary") or _name(labels),
        content="\n".join(line for line in [*texts, *lines] if line)
        or ("" if labels or annotations else as_json(item)),
        severity=severity_of(first_text(labels, *SEVERITY_LABELS)),
        status=status,
        source=source or tool,
        labels=labels,
        key=_key(tool, item, labels),
        starts_at=moment_of(item.get("startsAt")),
        # RFC 3339 has no "never": senders put an end that lies in the future, or in the year 1.
        ends_at=moment_of(item.get("endsAt")) if status is Status.RESOLVED else None,
        links=[*named_links, *links],
        extra=extra,
    )


def status_of(word: str) -> Status:
    """Return what the tools call `resolved`; whatever else they say, there is trouble."""
    return Status.RESOLVED if word.strip().lower() == "resolved" else Status.FIRING


def host_of(url: object) -> str:
    """Return the host and port that a URL names, "" if it names none."""
    try:
        return urlsplit(text_of(url)).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _name(labels: Mapping[str, Any]) -> str:
    name, instance = first_text(labels, "alertname"), first_text(labels, "instance")
    if name:
        return f"{name} on {instance}" if instance else name
    return ", ".join(f"{label}={text_of(value)}" for label, value in labels.items())


def _key(tool: str, item: Mapping[str, Any], labels: Mapping[str, Any]) -> str:
    fingerprint = first_text(item, "fingerprint") or (_digest(labels) if labels else "")
    return f"{tool}/{fingerprint}" if fingerprint else ""


def _digest(labels: Mapping[str, Any]) -> str:
    return blake2b(json.dumps(labels, sort_keys=True).encode(), digest_size=DIGEST_BYTES).hexdigest()


def _annotations(annotations: Mapping[str, Any]) -> tuple[Links, list[str]]:
    """Return the annotations that are links, and the lines that the others make; the summary only if it is alone."""
    texts = [text for text in (text_of(annotations.get(name)).strip() for name in TEXTS) if text]
    links: Links = []
    for name, value in annotations.items():
        text = text_of(value) or (as_json(value) if value else "")
        if not text or name == "summary" or name in TEXTS:
            continue
        if _is_url(text):
            links.append((text, _title(name)))
        else:
            texts.append(f"{name}: {text}")
    return links, texts or [first_text(annotations, "summary")]


def _is_url(text: str) -> bool:
    if not text.startswith(URL_SCHEMES) or " " in text:
        return False
    try:
        clean_url(text)
    except ValueError:
        return False
    return True


def _title(name: str) -> str:
    """`runbook_url` is the Runbook."""
    for ending in URL_ENDINGS:
        name = name.removesuffix(ending)
    return name.replace("_", " ").strip().capitalize() or "Link"
