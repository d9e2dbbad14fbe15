"""The routes: whom the tree leads an alert to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alert import Alert, Severity
from app.domain.route import Route, receivers_for
from app.settings.matchers import parse_matcher


def route(*receivers: str, when: str = "", routes: tuple[Route, ...] = (), **changes: Any) -> Route:
    """Return a node, with one matcher if there is a `when`."""
    matchers = (parse_matcher(when),) if when else ()
    return Route(receivers=receivers, matchers=matchers, routes=routes, **changes)


DB = route("dba", when="team=db")
CRITICAL = frozenset({Severity.CRITICAL})
TREES = {
    "no routes": ((), {"team": "db"}, ("default",)),
    "the one that takes it": ((DB,), {"team": "db"}, ("dba",)),
    "none takes it": ((DB,), {"team": "web"}, ("default",)),
    "the first wins": ((DB, route("late", when="team=db")), {"team": "db"}, ("dba",)),
    "continue asks the next": (
        (route("dba", when="team=db", continue_=True), route("late", when="team=db")),
        {"team": "db"},
        ("dba", "late"),
    ),
    "continue without a next": ((route("dba", when="team=db", continue_=True),), {"team": "db"}, ("dba",)),
    "the deepest wins": (
        (route("dba", when="team=db", routes=(route("night", when="env=prod"),)),),
        {"team": "db", "env": "prod"},
        ("night",),
    ),
    "else the node above": (
        (route("dba", when="team=db", routes=(route("night", when="env=prod"),)),),
        {"team": "db", "env": "test"},
        ("dba",),
    ),
    "inner routes of a route that does not take it": (
        (route("dba", when="team=db", routes=(route("night"),)),),
        {"team": "web"},
        ("default",),
    ),
    "several receivers": ((route("a", "b", when="team=db"),), {"team": "db"}, ("a", "b")),
    "each once": (
        (route("a", "b", when="team=db", continue_=True), route("b", "c", when="team=db")),
        {"team": "db"},
        ("a", "b", "c"),
    ),
    "by severity": ((route("page", severities=CRITICAL),), {}, ("page",)),
    "not by a label of that name": (
        (route("page", severities=frozenset({Severity.INFO})),),
        {"severity": "info"},
        ("default",),
    ),
}


@pytest.mark.parametrize(("routes", "labels", "expected"), TREES.values(), ids=TREES.keys())
def test_the_tree_leads_as_alertmanagers_does(
    routes: tuple[Route, ...], labels: dict[str, str], expected: tuple[str, ...]
) -> None:
    """Depth first, the first match has it, and the node itself what its routes do not want."""
    alert = Alert(subject="x", severity=Severity.CRITICAL, labels=labels)
    assert receivers_for(route("default", routes=routes), alert) == expected


def test_all_conditions_must_hold() -> None:
    """A route with two matchers takes what fulfils both."""
    both = Route(receivers=("dba",), matchers=(parse_matcher("team=db"), parse_matcher("env=prod")))
    root = route("default", routes=(both,))
    assert receivers_for(root, Alert(subject="x", labels={"team": "db", "env": "prod"})) == ("dba",)
    assert receivers_for(root, Alert(subject="x", labels={"team": "db"})) == ("default",)


names = st.sampled_from(["a", "b", "c"])
conditions = st.sampled_from(["", "x=1", "x!=1", "y=~[12]", "y!~.+", "severity=info"])
trees = st.recursive(
    st.builds(route, names, when=conditions, continue_=st.booleans()),
    lambda inner: st.builds(
        route, names, when=conditions, continue_=st.booleans(), routes=st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=12,
)


@given(
    routes=st.lists(trees, max_size=4).map(tuple),
    labels=st.dictionaries(st.sampled_from("xy"), st.sampled_from("123")),
    severity=st.sampled_from(Severity),
)
def test_every_alert_has_a_receiver(routes: tuple[Route, ...], labels: dict[str, str], severity: Severity) -> None:
    """Whatever the tree and the alert, if the root has one."""
    found = receivers_for(route("default", routes=routes), Alert(subject="x", labels=labels, severity=severity))
    assert found
    assert len(set(found)) == len(found)
