"""The matcher: one condition on an alert's labels, as routes and heartbeats have them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.domain.alert import Alert


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label; a missing label has the value "". `text` is how people wrote it.

    `test` tells of a value whether it fulfils the condition. It gets what strangers send, so its time must grow with
    the value, and no more.
    """

    label: str
    text: str
    test: Callable[[str], bool] = field(repr=False, compare=False)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels fulfil it."""
        return self.test(labels.get(self.label, ""))


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
