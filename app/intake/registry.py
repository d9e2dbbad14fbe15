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
    known: list[Format] = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return {
        known_format.name: known_format for known_format in sorted(known, key=lambda each: (not each.tool, each.name))
    }


def recognise(payload: Payload) -> Format | None:
    """Return the format of the payload, None if no format knows it."""
    return next((known for known in all_formats().values() if known.recognises(payload)), None)
