"""Secrets that stand in files: the ones that settings name, and systemd's credentials."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.domain.errors import ConfigurationError
from app.net.secret_file import read_secret

MAX_KEY = 64 << 10  # bytes; a PEM file of a private key has a few thousand
Read = Callable[..., str]


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A secret, and the file in which it stood at the start."""

    path: Path
    secret: str = field(repr=False)


class SecretFiles:
    """Finds the file of a secret.

    systemd.exec(5): LoadCredential= puts each into a file below $CREDENTIALS_DIRECTORY.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._credentials = environ.get("CREDENTIALS_DIRECTORY")

    def hold(self, path: Path) -> bool:
        """Tell whether systemd put the file there, as one of the credentials."""
        return self._credentials is not None and path.is_relative_to(self._credentials)

    def find(
        self, setting: str, *, given: bool, file: Path | None, credential: str, read: Read = read_secret
    ) -> SecretFile | None:
        """Return the file that is named, else the credential if there is one; None if the secret is `given` by itself.

        Raises ConfigurationError if it is given in both ways, or the file is of no use.
        """
        if given and file is not None:
            raise ConfigurationError(f"{setting}: given twice, by itself and by a file; keep one of them")
        if given:
            return None
        if file is not None:
            return SecretFile(file, read(file, name=f"{setting}_file"))
        path = Path(self._credentials, credential) if self._credentials else None
        if path is None or not path.exists():
            return None
        return SecretFile(path, read(path, name=f"the systemd credential {credential}"))


def read_key(file: Path, *, name: str) -> str:
    """Return the lines that `file` holds. Raises ConfigurationError, which never repeats what is in it."""
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_KEY).decode("ascii")
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:  # raised again below, outside: the exception holds the bytes
        problem = "is not in PEM form"
    raise ConfigurationError(f"{name}: {file} {problem}; put a private key in PEM form there")
