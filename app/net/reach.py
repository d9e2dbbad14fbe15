"""Reaching a host: every address of its name, and the first of them that answers."""

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from aiohappyeyeballs import start_connection
from aiohappyeyeballs.types import AddrInfoType

from app.net.errors import ConnectFailed

# RFC 8305 section 8: the recommended delay before the next address is tried beside the one before it.
ATTEMPT_DELAY_S = 0.25

Resolve = Callable[[str, int], Awaitable[Sequence[AddrInfoType]]]  # as loop.getaddrinfo() gives addresses


async def resolve_by_system(host: str, port: int) -> Sequence[AddrInfoType]:
    """Return every address of `host`, IPv6 and IPv4, as this machine resolves names. Raises OSError."""
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def reach(host: str, port: int, *, timeout_s: float, resolve: Resolve = resolve_by_system) -> socket.socket:
    """Return a socket connected to the address of `host` that answers first (RFC 8305, "happy eyeballs").

    The name is resolved anew each time. `timeout_s` bounds that, and then all attempts together.
    Raises ConnectFailed with what every address said.
    """
    addresses = await _addresses(host, port, timeout_s, resolve)
    loop = _NotingLoop(asyncio.get_running_loop())
    try:
        async with asyncio.timeout(timeout_s):
            return await start_connection(
                addresses, happy_eyeballs_delay=ATTEMPT_DELAY_S, loop=cast("asyncio.AbstractEventLoop", loop)
            )
    except (OSError, RuntimeError) as error:  # uvloop has RuntimeErrors of its own; TimeoutError is an OSError
        silence = f"does not answer within {timeout_s:g} s"
        said = [f"{address} port {port} {loop.faults.get(address, silence)}" for address in _hosts(addresses)]
        raise ConnectFailed(f"cannot connect: {'; '.join(said)}") from error


def error_words(error: Exception) -> str:
    """Return what went wrong with a socket, without the numbers and addresses that the event loop puts in."""
    if isinstance(error, ssl.SSLError):  # its errno is no errno of the system
        return str(error.reason or error).replace("_", " ").lower()
    code = error.errno if isinstance(error, OSError) else None
    return os.strerror(code) if code else str(error) or type(error).__name__


class _NotingLoop:
    """Connects sockets in the running loop for aiohappyeyeballs, which asks a loop for no more, and notes each fault.

    The library merges what the addresses say into one error, in which nobody can tell them apart.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.faults: dict[str, str] = {}  # by address
        self._loop = loop

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect `sock`. Raises OSError."""
        try:
            await self._loop.sock_connect(sock, address)
        except OSError as error:
            self.faults[address[0]] = f"says {error_words(error)}"
            raise


async def _addresses(host: str, port: int, timeout_s: float, resolve: Resolve) -> Sequence[AddrInfoType]:
    try:
        async with asyncio.timeout(timeout_s):
            found = await resolve(host, port)
    except TimeoutError as error:
        raise ConnectFailed(f"the name {host} did not resolve within {timeout_s:g} s") from error
    except OSError as error:
        raise ConnectFailed(f"the name {host} does not resolve: {error.strerror}") from error
    except UnicodeError as error:
        raise ConnectFailed(f"{host!r} is no host name") from error
    if not found:
        raise ConnectFailed(f"the name {host} has no address")
    return found


def _hosts(addresses: Sequence[AddrInfoType]) -> list[str]:
    return [str(address[0]) for *_, address in addresses]
