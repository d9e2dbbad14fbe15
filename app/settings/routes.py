"""`[[routes]]`: which alerts go to which receivers, as a tree below the default receiver."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, Field, PlainValidator
from pydantic_settings import NoDecode

from app.domain.alert import BY_RANK, Severity
from app.domain.errors import ConfigurationError
from app.domain.receiver import DEFAULT_RECEIVER
from app.domain.route import ALL_SEVERITIES, Route
from app.settings.matchers import Matchers
from app.settings.nearest import nearest
from app.settings.sections import STRICT
from app.settings.tables import tables_of
from app.settings.values import ReceiverNames, split_list

MAX_DEPTH = 8  # of routes in routes: more is a mistake, and each is a step for every alert


def _severities(value: object) -> frozenset[Severity]:
    try:
        severities = frozenset(map(Severity, split_list(value)))
    except ValueError:
        severities = frozenset()
    if not severities:
        raise ValueError(f'is no list of severities; write ["error", "critical"], of {", ".join(BY_RANK)}')
    return severities


class RouteTable(BaseModel):
    """One of `[[routes]]`, or of those below it, as it is written. Without receivers it has those of the one above."""

    model_config = STRICT

    receivers: ReceiverNames = ()
    matchers: Matchers = ()
    severity: Annotated[frozenset[Severity], PlainValidator(_severities)] = ALL_SEVERITIES
    minimum_severity: Severity = Severity.INFO
    continue_: bool = Field(default=False, alias="continue")
    routes: Annotated[tuple["RouteTable", ...], tables_of("routes.routes")] = ()


RouteTables = Annotated[tuple[RouteTable, ...], NoDecode, tables_of("routes")]


def route_tree(tables: Sequence[RouteTable], receivers: Collection[str]) -> Route:
    """Return the tree: its root has the default receiver, and the tables are the routes below it.

    Raises ConfigurationError for a name that is not among the `receivers`, and for routes nested too deeply.
    """
    root = Route(receivers=(DEFAULT_RECEIVER,))
    return Route(receivers=root.receivers, routes=_routes(tables, root, receivers, place="routes"))


def _routes(
    tables: Sequence[RouteTable], above: Route, receivers: Collection[str], *, place: str, depth: int = 1
) -> tuple[Route, ...]:
    if tables and depth > MAX_DEPTH:
        raise ConfigurationError(f"routes: they are nested more than {MAX_DEPTH} deep; write some of them side by side")
    return tuple(
        _route(table, above, receivers, place=f"{place} in table {number}", depth=depth)
        for number, table in enumerate(tables, start=1)
    )


def _route(table: RouteTable, above: Route, receivers: Collection[str], *, place: str, depth: int) -> Route:
    for name in table.receivers:
        if name not in receivers:
            raise ConfigurationError(f'{place}: there is no receiver "{name}"{_hint(name, receivers)}')
    route = Route(
        receivers=table.receivers or above.receivers,
        matchers=table.matchers,
        severities=frozenset(s for s in table.severity if s.rank >= table.minimum_severity.rank),
        continue_=table.continue_,
    )
    if not route.severities:
        raise ConfigurationError(f"{place}: no severity of the list reaches minimum_severity; keep one of the two")
    inner = _routes(table.routes, route, receivers, place=f"{place}, routes", depth=depth + 1)
    return replace(route, routes=inner)


def _hint(name: str, receivers: Collection[str]) -> str:
    meant = nearest(name, receivers)
    return f'; did you mean "{meant}"?' if meant else "; declare it by [[receivers]]"
