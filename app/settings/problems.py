"""Validation errors in plain words. None repeats what was given, for it may be a secret."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.settings.names import how_to_set, nearest_column

PLAIN = {
    "bool_parsing": "is neither true nor false",
    "bool_type": "is neither true nor false",
    "int_from_float": "is no whole number",
    "int_parsing": "is no whole number",
    "int_type": "is no whole number",
    "enum": "is none of {expected}",
    "greater_than_equal": "is too small: at least {ge}",
    "less_than_equal": "is too large: at most {le}",
    "missing": "is missing",
    "model_type": "is a section; write its settings below its name in square brackets",
    "path_type": "is no path",
    "string_type": "is no text",
    "string_too_short": "is empty",
    "string_too_long": "is too long: at most {max_length} characters",
}


def in_words(error: ValidationError) -> list[str]:
    """Return one complaint for each wrong setting: which, what is wrong, how to set it."""
    return [_complaint(detail) for detail in error.errors(include_url=False, include_input=False)]


def _complaint(detail: ErrorDetails) -> str:
    setting, place = _setting_and_place(detail["loc"])
    context = detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        return f"{setting}: no such setting{place}{nearest_column(setting)}"
    if detail["type"] == "value_error":
        what = str(context["error"])
    else:
        what = PLAIN.get(detail["type"], "is wrong").format(**context)
    return f"{setting}{place}: {what} (set {how_to_set(setting)})"


def _setting_and_place(location: tuple[int | str, ...]) -> tuple[str, str]:
    """Return the dotted setting, and in which of several tables it stands, counted as people count."""
    setting = ".".join(part for part in location if isinstance(part, str))
    return setting, "".join(f" in table {part + 1}" for part in location if isinstance(part, int))
