"""The matcher: one condition on an alert's labels, in the syntax of Alertmanager."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.alert import Alert
from app.domain.errors import ConfigurationError
from app.domain.pattern import Test, compiled

# A label's name may be anything that cannot be taken for an operator, or stand in quotes.
_MATCHER = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s{}!=~,\\"\'`]+)\s*(=~|!~|!=|=)\s*(.*?)\s*', re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class Operator(StrEnum):
    """How the value of the label is compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCH = "=~"
    NO_MATCH = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label; a missing label has the value "". A regular expression must match the whole value."""

    label: str
    operator: Operator
    value: str
    _test: Test = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the value. Raises ConfigurationError when it should be a regular expression and is none."""
        is_pattern = self.operator in {Operator.MATCH, Operator.NO_MATCH}
        object.__setattr__(self, "_test", compiled(self.value) if is_pattern else self.value.__eq__)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels fulfil it."""
        found = self._test(labels.get(self.label, ""))
        return found is (self.operator in {Operator.EQUAL, Operator.MATCH})


def parse_matcher(text: str) -> Matcher:
    """Return the matcher that `team="db"`, `team!=db`, `host=~"db[0-9]+"` or `host!~web.*` writes.

    The value stands in quotes, with a backslash before a quote or a backslash in it, or bare to the end of the text.
    Raises ConfigurationError, which says how to write it.
    """
    match = _MATCHER.fullmatch(text)
    value = None if match is None else _unquoted(match[3])
    label = None if match is None else _unquoted(match[1])
    if match is None or value is None or not label:
        raise ConfigurationError(f"""{text!r} is no matcher; write label="value", or !=, =~ or !~ instead of =""")
    try:
        return Matcher(label, Operator(match[2]), value)
    except ConfigurationError as error:
        problem = f"{text!r} {error}"
    raise ConfigurationError(problem)


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


def matchable(alert: Alert) -> Mapping[str, str]:
    """Return what matchers look at: the alert's labels, and its severity, status and source as if they were labels.

    A label of the same name wins: with Prometheus `severity="page"` is what the rule says, and people write it so.
    """
    return {
        "severity": alert.severity.value,
        "status": alert.status.value,
        "source": alert.source,
        **alert.labels,
    }
