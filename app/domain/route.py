"""The routes: a tree that leads an alert to its receivers, as Alertmanager's does."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.alert import Alert, Severity
from app.domain.matcher import Matcher, matchable

ALL_SEVERITIES = frozenset(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One node: which alerts it takes, and where they go unless one of its own `routes` takes them.

    All conditions must hold. `severities` are the alert's own, whatever a label of that name says. With `continue_`
    the routes after this one are asked too.
    """

    receivers: tuple[str, ...]
    matchers: tuple[Matcher, ...] = ()
    severities: frozenset[Severity] = ALL_SEVERITIES
    continue_: bool = False
    routes: tuple["Route", ...] = ()

    def takes(self, alert: Alert, labels: Mapping[str, str]) -> bool:
        """Tell whether the conditions hold for the alert, with its labels as `matchable` gives them."""
        return alert.severity in self.severities and all(matcher.matches(labels) for matcher in self.matchers)


def routes_for(root: Route, alert: Alert) -> tuple[Route, ...]:
    """Return the nodes that decide what becomes of the alert, in their order; the root itself takes all.

    Depth first: of a node's routes the first that takes the alert has it, and those after it only where it says
    `continue_`. A node whose routes do not want the alert has it itself.
    """
    return _leaves(root, alert, matchable(alert))


def _leaves(route: Route, alert: Alert, labels: Mapping[str, str]) -> tuple[Route, ...]:
    found: tuple[Route, ...] = ()
    for child in route.routes:
        if child.takes(alert, labels):
            found += _leaves(child, alert, labels)
            if not child.continue_:
                break
    return found or (route,)


def receivers_for(root: Route, alert: Alert) -> tuple[str, ...]:
    """Return the names of the receivers to which the tree leads the alert, each once, in the order of the routes."""
    return tuple(dict.fromkeys(name for route in routes_for(root, alert) for name in route.receivers))
