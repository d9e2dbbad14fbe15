"""Arrays of tables, such as `[[relays]]`: what they are made of, in the file and in the environment."""

import json

from pydantic import BeforeValidator


def tables_of(name: str) -> BeforeValidator:
    """Return the check that there are tables, be it in a variable as a JSON array; `name` is for the complaint.

    With it goes NoDecode: pydantic-settings would say of broken JSON what it holds.
    """

    def check(value: object) -> object:
        try:
            value = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):  # RecursionError: brackets nested without end
            value = None
        if not isinstance(value, list | tuple) or not all(isinstance(item, dict) for item in value):
            raise ValueError(f"is no array of tables; write [[{name}]] in the file, or a JSON array in the environment")
        return value

    return BeforeValidator(check)
