"""Fields that no format knows: kept as they are, as far as a mail and the journal can hold them."""

import json
import math
from collections.abc import Mapping
from typing import Any

from app.domain.text import one_line, plain

MAX_DEPTH = 16  # deeper values are kept as their JSON text, so that what renders them may recurse
MAX_INTEGER = 2**63 - 1  # greater ones are kept as digits: few JSON readers hold them (RFC 8259 section 6)


def keep(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fields` with clean strings, finite numbers and bounded depth: always JSON, always UTF-8."""
    return {one_line(name): _kept(value, MAX_DEPTH) for name, value in fields.items()}


def _kept(value: Any, levels: int) -> Any:
    match value:
        case str():
            return plain(value)
        case dict() | list():
            return _kept_nested(value, levels)
        case int() if abs(value) > MAX_INTEGER:
            return str(value)
        case float() if not math.isfinite(value):  # RFC 8259 section 6 has no NaN and no Infinity
            return str(value)
        case _:
            return value


def _kept_nested(value: dict[str, Any] | list[Any], levels: int) -> Any:
    if not levels:
        return plain(json.dumps(value, ensure_ascii=False))
    if isinstance(value, list):
        return [_kept(item, levels - 1) for item in value]
    return {one_line(name): _kept(item, levels - 1) for name, item in value.items()}
