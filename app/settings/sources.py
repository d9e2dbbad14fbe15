"""Where settings come from: the configuration file, the environment, secret files and systemd credentials."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import (
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    TomlConfigSettingsSource,
)

from app.domain.errors import ConfigurationError
from app.settings.model import Settings
from app.settings.names import VARIABLES

SEARCHED = (Path("config/mailalert.toml"), Path("/etc/mailalert/mailalert.toml"))
SECRETS = (("relay_password",), ("http", "token"))


class EnvironmentSource(EnvSettingsSource):
    """The MAILALERT_* variables of the environment that was handed in."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._environ.items() if name in VARIABLES}


class SecretSource(PydanticBaseSettingsSource):
    """Secrets from the files that the earlier sources name, else from systemd's credentials.

    systemd.exec(5): LoadCredential= puts each into a file below $CREDENTIALS_DIRECTORY.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self._credentials = environ.get("CREDENTIALS_DIRECTORY")

    def get_field_value(
        self,
        field: FieldInfo,  # noqa: ARG002 - named by pydantic-settings
        field_name: str,
    ) -> tuple[Any, str, bool]:
        """Return that nothing was found: pydantic-settings demands the method, and `__call__` gives all at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the secrets that were found, nested like the settings."""
        found: dict[str, Any] = {}
        for path in SECRETS:
            secret = self._secret(path)
            if secret is not None:
                section = found.setdefault(path[0], {}) if len(path) > 1 else found
                section[path[-1]] = secret
        return found

    def _secret(self, path: tuple[str, ...]) -> str | None:
        name = ".".join(path)
        section: Any = self.current_state
        for key in path[:-1]:
            section = section.get(key, {})
        if not isinstance(section, dict):
            return None  # validation says what is wrong with it
        given, file = section.get(path[-1]), section.get(f"{path[-1]}_file")
        if given is not None and file is not None:
            raise ConfigurationError(f"{name}: given twice, by itself and by {name}_file; keep one of them")
        if given is not None:
            return None
        if isinstance(file, str):
            return read_secret(Path(file), name=f"{name}_file")
        return self._credential("_".join(path))

    def _credential(self, name: str) -> str | None:
        if not self._credentials:
            return None
        file = Path(self._credentials, name)
        return read_secret(file, name=f"the systemd credential {name}") if file.exists() else None


def read_secret(file: Path, *, name: str) -> str:
    """Return the one line that `file` holds. Raises ConfigurationError, which never repeats what is in it."""
    problem = ""
    try:
        secret = file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:  # raised again below, outside: the exception holds the bytes
        problem = "is not UTF-8 text"
    else:
        if not secret:
            problem = "is empty"
        elif not secret.isprintable():
            problem = "holds more than one line, or control characters"
    if problem:
        raise ConfigurationError(f"{name}: {file} {problem}; put the secret there, alone on one line")
    return secret


def config_file(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the configuration file: the one that is named, else the first of SEARCHED that exists.

    Raises ConfigurationError if one is named and is not there.
    """
    named = given or (Path(environ["MAILALERT_CONFIG"]) if environ.get("MAILALERT_CONFIG") else None)
    if named is None:
        return next((file for file in SEARCHED if file.is_file()), None)
    if not named.is_file():
        by = "--config" if given else "MAILALERT_CONFIG"
        raise ConfigurationError(f"{by}: there is no file {named}")
    return named


def toml_source(file: Path | None) -> TomlConfigSettingsSource:
    """Return the source for `file`, which has been read. Raises ConfigurationError if it cannot be."""
    try:
        return TomlConfigSettingsSource(Settings, file)
    except tomllib.TOMLDecodeError as error:
        problem = f"is not TOML: {error}"
    except UnicodeDecodeError:
        problem = "is not TOML: it is not UTF-8 text"
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    raise ConfigurationError(f"{file} {problem}")


def data_dir(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the data directory that systemd made, if it did (StateDirectory= in systemd.exec(5))."""
    first = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return {"data_dir": first} if first else {}
