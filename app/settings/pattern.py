"""Regular expressions over what strangers send: matched in linear time, whatever the pattern and the text.

Python's own `re` backtracks, and one label value of 40 characters could stop the daemon for minutes. Rust's engine,
which pydantic brings along, does not; its syntax is that of RE2, as in Alertmanager: no look-around, no references.
"""

from collections.abc import Callable

from pydantic_core import SchemaError, SchemaValidator, core_schema

from app.domain.errors import ConfigurationError

MAX_PATTERN = 1_000  # characters; a list of 50 host names has about that
Test = Callable[[str], bool]


def compiled(pattern: str) -> Test:
    """Return what tells whether the pattern matches the whole of a text; a dot matches line ends too.

    Anchored, like those of Prometheus. Raises ConfigurationError when it is no pattern, or too large a one.
    """
    if len(pattern) > MAX_PATTERN:
        raise ConfigurationError(f"has a regular expression of {len(pattern)} characters; at most {MAX_PATTERN}")
    try:
        _validator(pattern)  # alone first: "a)|(b" would make sense between our own brackets
        return _validator(rf"\A(?s:{pattern})\z").isinstance_python
    except SchemaError as error:
        reason = str(error).rpartition("error: ")[2].strip().splitlines()[-1]
        problem = f"has a regular expression that is none of RE2's syntax ({reason.rstrip('.')})"
    raise ConfigurationError(problem)


def _validator(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
