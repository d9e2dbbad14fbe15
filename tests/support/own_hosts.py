"""Names that only one process can resolve: its own /etc/hosts, and no name server. Needs root."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.requirements import require, require_root

# Bind mounts in a mount namespace of its own; exec keeps the process id.
SCRIPT = 'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"'


class OwnHosts:
    """The names that a program run as `program()` finds; they may change while it runs."""

    def __init__(self, folder: Path, **names: Sequence[str]) -> None:
        """`names` are addresses by name; an underscore stands for a dot."""
        require_root()
        self._unshare = require("unshare")
        self._hosts = folder / "hosts"
        self._resolver = folder / "resolv.conf"
        self._resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")  # where nobody answers
        self.set(names)

    def set(self, names: Mapping[str, Sequence[str]]) -> None:
        """Change what the names mean, for whoever asks from now on."""
        lines = [f"{address} {name.replace('_', '.')}" for name, found in names.items() for address in found]
        self._hosts.write_text("".join(f"{line}\n" for line in ["127.0.0.1 localhost", *lines]))

    def program(self, command: Sequence[str]) -> list[str]:
        """Return a command that runs `command` with these names."""
        shell = ["sh", "-c", SCRIPT, "sh", str(self._hosts), str(self._resolver)]
        return [self._unshare, "--mount", *shell, *command]
