"""Validation errors in plain words. None repeats what was given, for it may be a secret."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.settings.names import how_to_set

PLAIN = {
    "bool_parsing": "is neither true nor false",
    "bool_type": "is neither true nor false",
    "int_from_float": "is no whole number",
    "int_parsing": "is no whole number",
    "int_type": "is no whole number",
    "greater_than_equal": "is too small: at least {ge}",
    "less_than_equal": "is too large: at most {le}",
    "model_type": "is a section; write its settings below its name in square brackets",
    "path_type": "is no path",
    "string_type": "is no text",
    "string_too_long": "is too long: at most {max_length} characters",
}


def in_words(error: ValidationError) -> list[str]:
    """Return one complaint for each wrong setting: which, what is wrong, how to set it."""
    return [_complaint(detail) for detail in error.errors(include_url=False, include_input=False)]


def _complaint(detail: ErrorDetails) -> str:
    setting = ".".join(str(part) for part in detail["loc"])
    context = detail.get("ctx", {})
    if detail["type"] == "value_error":
        what = str(context["error"])
    else:
        what = PLAIN.get(detail["type"], "is wrong").format(**context)
    return f"{setting}: {what} (set {how_to_set(setting)})"
