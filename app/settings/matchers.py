"""Matchers as routes and heartbeats have them, written in the syntax of Alertmanager."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import PlainValidator

from app.domain.errors import ConfigurationError
from app.domain.matcher import Matcher
from app.settings.pattern import Test, compiled

# A label's name may be anything that cannot be taken for an operator, or stand in quotes.
_MATCHER = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s{}!=~,\\"\'`]+)\s*(=~|!~|!=|=)\s*(.*?)\s*', re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class Operator(StrEnum):
    """How the value of the label is compared. A regular expression must match the whole value."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCH = "=~"
    NO_MATCH = "!~"


def parse_matcher(text: str) -> Matcher:
    """Return the matcher that `team="db"`, `team!=db`, `host=~"db[0-9]+"` or `host!~web.*` writes.

    Raises ConfigurationError, which says how to write it.
    """
    label, operator, value = parts_of(text)
    try:
        return Matcher(label, text, _test(operator, value))
    except ConfigurationError as error:
        problem = f"{text!r} {error}"
    raise ConfigurationError(problem)


def parts_of(text: str) -> tuple[str, Operator, str]:
    """Return label, operator and value of a matcher. Raises ConfigurationError.

    The value stands in quotes, with a backslash before a quote or a backslash in it, or bare to the end of the text.
    """
    match = _MATCHER.fullmatch(text)
    value = None if match is None else _unquoted(match[3])
    label = None if match is None else _unquoted(match[1])
    if match is None or value is None or not label:
        raise ConfigurationError(f"""{text!r} is no matcher; write label="value", or !=, =~ or !~ instead of =""")
    return label, Operator(match[2]), value


def _test(operator: Operator, value: str) -> Test:
    match operator:
        case Operator.EQUAL:
            return value.__eq__
        case Operator.NOT_EQUAL:
            return value.__ne__
        case Operator.MATCH:
            return compiled(value)
        case Operator.NO_MATCH:
            fits = compiled(value)
            return lambda found: not fits(found)


def _unquoted(text: str) -> str | None:
    """Return what is between the quotes, or the text if it has none; None when a quote has no partner.

    A backslash keeps what follows as it is, but for `\\n`; in front of other characters it stays, for patterns have
    many of them.
    """
    if '"' not in text:
        return text
    if not _QUOTED.fullmatch(text):
        return None
    return _ESCAPE.sub(_escaped, text[1:-1])


def _escaped(match: re.Match[str]) -> str:
    if match[1] == "n":
        return "\n"
    return match[1] if match[1] in '"\\' else match[0]


def _matchers(value: object) -> tuple[Matcher, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ValueError("""is no list; write ['team="db"', 'host=~"db[0-9]+"']""")
    try:
        return tuple(map(parse_matcher, texts))
    except ConfigurationError as error:
        problem = str(error)
    raise ValueError(problem)


Matchers = Annotated[tuple[Matcher, ...], PlainValidator(_matchers)]
