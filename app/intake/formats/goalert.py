"""GoAlert's generic API: summary, details, dedup and action, as JSON, as a form or in the query.

Without `dedup` GoAlert takes equal summaries for the same trouble; here each is mailed, as a one-shot.
"""

from collections.abc import Mapping
from typing import Any

from app.domain.alert import Alert, Status
from app.intake.draft import draft
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.incoming import Reading
from app.intake.lenient import first_text, object_of

TOOL = "goalert"
FIELDS = frozenset({"summary", "details", "dedup", "action", "token", "meta"})
CLOSE = "close"


def _alert(fields: Mapping[str, Any], meta: Mapping[str, Any]) -> Alert:
    dedup = first_text(fields, "dedup")
    return draft(
        subject=first_text(fields, "summary", "dedup"),
        content=first_text(fields, "details"),
        status=Status.RESOLVED if _closes(fields) else Status.FIRING,
        source=TOOL,
        key=f"{TOOL}/{dedup}" if dedup else "",
        extra=meta,
    )


def _closes(fields: Mapping[str, Any]) -> bool:
    return first_text(fields, "action").strip().lower() == CLOSE


def _fields(payload: Payload) -> Mapping[str, Any]:
    return payload.object if payload.body else payload.query


def _meta(payload: Payload) -> Mapping[str, Any]:
    """In a form each `meta` is one NAME=VALUE."""
    if not payload.is_form:
        return object_of(payload.object.get("meta"))
    told = [value.partition("=") for name, value in payload.pairs if name == "meta"]
    return {name: value for name, _, value in told}


def _recognises(payload: Payload) -> bool:
    fields = _fields(payload)
    closes_one = _closes(fields) and isinstance(fields.get("dedup"), str)  # which needs no summary
    if not (closes_one or isinstance(fields.get("summary"), str)):
        return False
    return fields.keys() <= FIELDS or not payload.body  # a query may also name what is ours


def _read(payload: Payload) -> Reading:
    fields = _fields(payload)
    if not first_text(fields, "summary", "dedup"):
        raise NotUnderstood("neither `summary` nor `dedup` is there")
    return Reading((_alert(fields, _meta(payload)),))


FORMAT = Format(name=TOOL, tool="GoAlert, generic API", recognises=_recognises, read=_read)
