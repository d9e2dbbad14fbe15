"""A host with several addresses is reached while one of them works, and else each tells why not."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest
import uvloop
from aiohappyeyeballs.types import AddrInfoType

from app.net.errors import ConnectFailed
from app.net.reach import Resolve
from app.net.streams import Stream
from tests.support.scripted_smtp import ScriptedSmtp

HANG = 30  # seconds; far beyond what any of these tests takes


def _resolver(*addresses: str) -> Resolve:
    async def resolve(_host: str, port: int) -> Sequence[AddrInfoType]:
        return [_info(address, port) for address in addresses]

    return resolve


def _info(address: str, port: int) -> AddrInfoType:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, 0, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)


async def _greeting(server: ScriptedSmtp, resolve: Resolve) -> bytes:
    stream = await Stream.connect("mx.test", server.port, timeout_s=HANG, resolve=resolve)
    try:
        return await stream.read(asyncio.get_running_loop().time() + HANG)
    finally:
        stream.abort()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("dead", ["127.0.0.2", "::1"])
def test_one_dead_address_of_two(dead: str, loop: str) -> None:
    """An address that refuses is passed over, of either family and on either event loop."""

    async def run() -> None:
        async with ScriptedSmtp() as server:
            assert (await _greeting(server, _resolver(dead, "127.0.0.1"))).startswith(b"220")

    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(run())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_silent_address_does_not_hold_up_the_other(loop: str) -> None:
    """The next address is tried beside one that never answers, long before that one is given up (RFC 8305)."""

    async def run() -> None:
        with _black_hole() as port:
            async with ScriptedSmtp(port=port) as server:
                assert (await _greeting(server, _resolver("127.0.0.2", "127.0.0.1"))).startswith(b"220")

    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(run())


async def test_every_address_tells_why() -> None:
    """Where none answers the error has a reason for each, so that somebody can mend it."""
    with _black_hole() as port, pytest.raises(ConnectFailed) as caught:
        await Stream.connect("mx.test", port, timeout_s=1, resolve=_resolver("127.0.0.3", "127.0.0.2", "::1"))
    said = str(caught.value)
    assert f"127.0.0.3 port {port} says Connection refused" in said
    assert f"127.0.0.2 port {port} does not answer within 1 s" in said
    assert f"::1 port {port} says " in said


async def test_the_name_is_resolved_anew_each_time() -> None:
    """A relay that moved is found at its new address without a restart."""
    answers = [["127.0.0.2"], ["127.0.0.1"]]

    async def resolve(_host: str, port: int) -> Sequence[AddrInfoType]:
        return [_info(address, port) for address in answers.pop(0)]

    async with ScriptedSmtp() as server:
        with pytest.raises(ConnectFailed, match=r"127\.0\.0\.2"):
            await _greeting(server, resolve)
        assert (await _greeting(server, resolve)).startswith(b"220")


async def _no_such_name(_host: str, _port: int) -> Sequence[AddrInfoType]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def _no_label(_host: str, _port: int) -> Sequence[AddrInfoType]:
    raise UnicodeError("label empty or too long")


async def _no_answer(_host: str, _port: int) -> Sequence[AddrInfoType]:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize(
    ("resolve", "said"),
    [
        (_no_such_name, "does not resolve: Name or service not known"),
        (_no_label, "no host name"),
        (_no_answer, "did not resolve within 0.05 s"),
        (_resolver(), "has no address"),
    ],
    ids=["unknown", "malformed", "silent", "empty"],
)
async def test_a_name_that_does_not_resolve(resolve: Resolve, said: str) -> None:
    """Whatever the DNS does is a ConnectFailed in plain words."""
    with pytest.raises(ConnectFailed, match=said):
        await Stream.connect("mx.test", 25, timeout_s=0.05, resolve=resolve)


async def test_this_machine_resolves_its_own_name() -> None:
    """Without a resolver of the test the system's is asked."""
    async with ScriptedSmtp() as server:
        stream = await Stream.connect("localhost", server.port, timeout_s=HANG)
        stream.abort()
    assert stream.peer_address == "127.0.0.1"


@contextmanager
def _black_hole() -> Iterator[int]:
    """A port of 127.0.0.2 that answers nobody: its backlog is full, so the kernel drops what comes."""
    with socket.create_server(("127.0.0.2", 0), backlog=0) as listener, ExitStack() as callers:
        for _ in range(2):
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
