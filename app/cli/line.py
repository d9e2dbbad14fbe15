"""A connection whose every step ends in time: by one deadline for all of it, or by a signal that is held."""

import errno
import os
import select
import socket
import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult

from app.cli.held_signals import signal_came

PORTS = {"http": 80, "https": 443}
CHUNK = 64 << 10  # bytes; what a socket hands over at a time
LOOK_S = 0.2  # between two looks for a signal; a person who presses Ctrl-C does not notice it


class BrokenOff(OSError):
    """A signal came while the other side was waited for."""


class Line:
    """A connection to the host of `url`, with TLS for https. Every method raises TimeoutError, BrokenOff and OSError.

    The deadline is `timeout_s` seconds after it was made, however little and often the other side sends.
    """

    def __init__(self, url: SplitResult, *, timeout_s: float) -> None:
        self._until = time.monotonic() + timeout_s
        self._socket = self._connected(url.hostname or "", url.port or PORTS[url.scheme])
        if url.scheme == "https":
            self._begin_tls(url.hostname or "")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send all of it."""
        left = memoryview(data)
        while left:
            self._check()
            try:
                left = left[self._socket.send(left[:CHUNK]) :]
            except TimeoutError:
                continue

    def read(self) -> bytes:
        """Return what has come, b"" at the end."""
        while True:
            self._check()
            try:
                return self._socket.recv(CHUNK)
            except TimeoutError:
                continue

    def _connected(self, host: str, port: int) -> socket.socket:
        failed: OSError | None = None
        for family, kind, protocol, _, address in _addresses(host, port):
            line = socket.socket(family, kind, protocol)
            try:
                self._connect(line, address)
            except OSError as error:
                line.close()
                if isinstance(error, TimeoutError | BrokenOff):
                    raise
                failed = error
            except BaseException:
                line.close()
                raise
            else:
                return line
        raise failed or OSError(f"{host} has no address")

    def _connect(self, line: socket.socket, address: Any) -> None:
        line.setblocking(False)
        number = line.connect_ex(address)
        if number == errno.EINPROGRESS:
            poll = select.poll()
            poll.register(line, select.POLLOUT)
            while not poll.poll(LOOK_S * 1000):
                self._check()
            number = line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number))
        line.settimeout(LOOK_S)

    def _begin_tls(self, host: str) -> None:
        import ssl

        plain = self._socket
        try:
            # ssl.SSLSocket takes up again what a timeout has interrupted.
            secured = ssl.create_default_context().wrap_socket(
                plain, server_hostname=host, do_handshake_on_connect=False
            )
            self._socket = secured
            while True:
                self._check()
                try:
                    secured.do_handshake()
                except TimeoutError:
                    continue
                return
        except BaseException:
            self._socket.close()
            raise

    def _check(self) -> None:
        if signal_came():
            raise BrokenOff(errno.EINTR, "a signal ended the wait")
        if time.monotonic() >= self._until:
            raise TimeoutError


def _addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    try:
        return [*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except UnicodeError:
        raise OSError(f"{host} is no name of a host") from None
