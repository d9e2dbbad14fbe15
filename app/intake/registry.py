"""All formats there are: every module in `app/intake/formats/` that has a `FORMAT`."""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from app.intake import formats
from app.intake.format import Format, Payload


@cache
def all_formats() -> Mapping[str, Format]:
    """Return the formats by name: those of tools first, for their shapes tell more; ours take what is left."""
    modules = [import_module(f"{formats.__name__}.{found.name}") for found in pkgutil.iter_modules(formats.__path__)]
    known: list[Format] = [module.FORMAT for module in modules]
    known.sort(key=lambda each: (not each.tool, each.yields, each.name))
    return {each.name: each for each in known}


def recognise(payload: Payload) -> Format | None:
    """Return the format of the payload, None if no format knows it."""
    is_native = _has_subject(payload)
    asked = (known for known in all_formats().values() if not is_native or known.has_subjects or not known.tool)
    return next((known for known in asked if known.recognises(payload)), None)


def _has_subject(payload: Payload) -> bool:
    """A subject makes an alert native, whatever other fields it has: they never cost it anything."""
    items = payload.array or [payload.document]
    return any(isinstance(item, dict) and "subject" in item for item in items)
