"""Opens the sockets that clients connect to, and says in words why one cannot be opened."""

import socket

from app.domain.errors import ConfigurationError, ListenFailed
from app.httpkit.server import BACKLOG


def listen(host: str, port: int, *, section: str) -> socket.socket:
    """Return a listening socket; `section` of the settings has its host and port.

    Raises ListenFailed, or ConfigurationError for a host that this machine has not.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise ConfigurationError(f"{section}.host {host}: {error.strerror}; set an address of this machine") from error
    except OSError as error:
        raise ListenFailed(
            f"cannot listen on {host} port {port}: {error.strerror};"
            f" stop the program that holds it, or set {section}.port (MAILALERT_{section.upper()}__PORT)"
        ) from error
