"""Arrays of tables, such as `[[relays]]`: what they are made of, in the file and in the environment."""

import json
from collections import Counter
from typing import Protocol

from pydantic import AfterValidator, BeforeValidator


class Named(Protocol):
    """A table that people tell from the others by its name."""

    @property
    def name(self) -> str:
        """What it is called."""


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


def _with_own_names(tables: tuple[Named, ...]) -> tuple[Named, ...]:
    for name, count in Counter(table.name for table in tables).items():
        if count > 1:
            raise ValueError(f'{count} of them are called "{name}"; give each a name of its own')
    return tables


OWN_NAMES = AfterValidator(_with_own_names)
