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
from app.net.secret_file import read_secret
from app.settings.model import Settings
from app.settings.names import VARIABLES
from app.settings.secret_files import Read, SecretFile, SecretFiles, read_key

SEARCHED = (Path("config/mailalert.toml"), Path("/etc/mailalert/mailalert.toml"))
SECRETS: Mapping[tuple[str, str], Read] = {  # section and name
    ("http", "token"): read_secret,
    ("dkim", "key"): read_key,
}


class EnvironmentSource(EnvSettingsSource):
    """The MAILALERT_* variables of the environment that was handed in."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._environ.items() if name in VARIABLES}


class SecretSource(PydanticBaseSettingsSource):
    """The secrets that stand alone in files; those of relays follow when it is known in which form relays are given."""

    def __init__(self, files: SecretFiles) -> None:
        super().__init__(Settings)
        self._files = files

    def get_field_value(
        self,
        field: FieldInfo,  # noqa: ARG002 - named by pydantic-settings
        field_name: str,
    ) -> tuple[Any, str, bool]:
        """Return that nothing was found: pydantic-settings demands the method, and `__call__` gives all at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the secrets that were found, nested like the settings, and the file of each."""
        found: dict[str, Any] = {}
        for (section, name), read in SECRETS.items():
            secret = self._secret(section, name, read)
            if secret is not None:
                found[section] = {name: secret.secret, f"{name}_file": str(secret.path)}
        return found

    def _secret(self, section: str, name: str, read: Read) -> SecretFile | None:
        given = self.current_state.get(section, {})
        file = given.get(f"{name}_file") if isinstance(given, dict) else 0
        if not isinstance(file, str | None):
            return None  # validation says what is wrong with it
        return self._files.find(
            f"{section}.{name}",
            given=given.get(name) is not None,
            file=Path(file) if file is not None else None,
            credential=f"{section}_{name}",
            read=read,
        )


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
    except (ValueError, RecursionError):  # numbers of thousands of digits, brackets nested without end
        problem = "is not TOML of any use: a number is too long, or brackets are nested too deeply"
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    raise ConfigurationError(f"{file} {problem}")


def data_dir(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the data directory that systemd made, if it did (StateDirectory= in systemd.exec(5))."""
    first = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return {"data_dir": first} if first else {}
