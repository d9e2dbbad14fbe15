"""The right names of the settings, and the nearest one to a wrong one."""

from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Any, get_args

from pydantic import BaseModel

from app.settings.heartbeats import HeartbeatTable
from app.settings.model import DELIMITER, PREFIX, Settings
from app.settings.nearest import nearest
from app.settings.receivers import ReceiverTable
from app.settings.relay_tables import RelayTable
from app.settings.routes import RouteTable
from app.settings.tokens import TokenEntry

# `serve --sandbox` says the first, so that no left-over variable swallows real alerts. The others stand in files, which
# tokens.hmac_secret_file names.
NOT_CONFIGURABLE = frozenset({"sandbox", "hmac_secrets"})
CLIENT_VARIABLES = frozenset({"MAILALERT_CONFIG", "MAILALERT_TOKEN_FILE", "MAILALERT_URL"})


def variable(setting: str) -> str:
    """Return the environment variable of a dotted setting: `http.port` has `MAILALERT_HTTP__PORT`."""
    return PREFIX + setting.replace(".", DELIMITER).upper()


def how_to_set(setting: str) -> str:
    """Return both places in which a setting can be given."""
    if _innermost(setting) in COLUMNS:
        table, _, column = setting.rpartition(".")
        array = setting.partition(".")[0]
        heading = f"[[{table}]]" if set(table.split(".")) == {array} else f"[{table}]"
        return f"{column} below {heading} in the configuration file, or in {variable(array)} in the environment"
    return f"{setting} in the configuration file, or {variable(setting)} in the environment"


def _innermost(setting: str) -> str:
    """Return the setting without the routes around it: routes.routes.severity is a column as routes.severity is."""
    while setting.startswith("routes.routes."):
        setting = setting.removeprefix("routes.")
    return setting


def _dotted(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, info in model.model_fields.items():
        section = _section(info.annotation)
        if section is not None:
            yield from _dotted(section, f"{prefix}{name}.")
        elif name not in NOT_CONFIGURABLE:
            yield prefix + (info.alias or name)


def _section(annotation: Any) -> type[BaseModel] | None:
    """Return the model that a field holds, also one that need not be there; an array of tables is no section."""
    held = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return next((kind for kind in held if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


SETTINGS = tuple(_dotted(Settings))
SECTIONS = frozenset(setting.rpartition(".")[0] for setting in SETTINGS if "." in setting)
TABLES: Mapping[str, type[BaseModel]] = {  # arrays of them
    "heartbeats": HeartbeatTable,
    "receivers": ReceiverTable,
    "relays": RelayTable,
    "routes": RouteTable,
    "tokens": TokenEntry,
}
COLUMNS = tuple(column for array, model in TABLES.items() for column in _dotted(model, f"{array}."))
VARIABLES = {variable(setting): setting for setting in SETTINGS}


def unknown_keys(table: Mapping[str, Any]) -> list[str]:
    """Return a complaint for each key of the configuration file that is no setting."""
    return [
        f"{key}: no such setting in the configuration file{_hint(key)}" for key in _keys(table) if key not in SETTINGS
    ]


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Return a complaint for each MAILALERT_* variable that is no setting, or is empty. No value is told."""
    ours = [name for name in environ if name.upper().startswith(PREFIX) and name not in CLIENT_VARIABLES]
    unknown = [
        f"{name}: no such setting in the environment{_hint(name, spelled=variable)}"
        for name in ours
        if name not in VARIABLES
    ]
    empty = [name for name in ours if name in VARIABLES and not environ[name]]
    return unknown + [f"{name}: the variable is empty; give it a value or unset it" for name in empty]


def nearest_column(name: str) -> str:
    """Return a hint at the setting of a table that `name` resembles, "" if there is none."""
    siblings = [column for column in COLUMNS if column.partition(".")[0] == name.partition(".")[0]]
    meant = nearest(_innermost(name), siblings)
    return f"; did you mean {meant}?" if meant else ""


def _keys(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the dotted keys; a table where one value is meant, or the reverse, is left to validation."""
    for key, value in table.items():
        name = prefix + key
        if name in SECTIONS:
            yield from _keys(value, f"{name}.") if isinstance(value, Mapping) else ()
        else:
            yield name


def _hint(name: str, *, spelled: Callable[[str], str] = str) -> str:
    # Compared without the prefix, which would make all variables look alike.
    right = {spelled(setting).removeprefix(PREFIX): spelled(setting) for setting in SETTINGS}
    wrong = name.upper().removeprefix(PREFIX) if spelled is variable else name
    meant = nearest(wrong, right)
    return f"; did you mean {right[meant]}?" if meant else ""
