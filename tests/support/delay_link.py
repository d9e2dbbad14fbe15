"""A link with a delay between two network namespaces, in user space, for kernels without netem.

    with delay_link(20) as link:                 # 20 ms there and back
        subprocess.Popen(link.far_side(["smtp-sink", f"{FAR}:2525", "10"]))
        subprocess.run(link.near_side([...]))

Two TUN devices, and this process carries each packet from one to the other when its time has come. Needs root.
"""

import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count

from tests.support.requirements import require, require_root

NEAR, FAR = "10.78.0.1", "10.78.0.2"
CLONE_NEWNET = 0x40000000  # sched.h
TUNSETIFF = 0x400454CA  # linux/if_tun.h
IFF_TUN_NO_PI = 0x1001
MAX_PACKET = 65536
IDLE_S = 0.2  # how late an end is seen


@dataclass(frozen=True)
class Link:
    """The two sides, each a namespace."""

    near: str
    far: str

    def near_side(self, command: Sequence[str]) -> list[str]:
        """Return `command` as one that runs at NEAR."""
        return ["ip", "netns", "exec", self.near, *command]

    def far_side(self, command: Sequence[str]) -> list[str]:
        """Return `command` as one that runs at FAR."""
        return ["ip", "netns", "exec", self.far, *command]


@contextmanager
def delay_link(round_trip_ms: float) -> Generator[Link, None, None]:
    """Run a link on which a packet and its answer take so long together."""
    require_root()
    require("ip")
    link = Link(near=f"near-{os.getpid()}", far=f"far-{os.getpid()}")
    ends: list[int] = []
    stop = threading.Event()
    try:
        for name, address in ((link.near, NEAR), (link.far, FAR)):
            _ip("netns", "add", name)
            ends.append(_tun(name, address))
        carrier = threading.Thread(target=_carry, args=(*ends, round_trip_ms / 2000, stop))
        carrier.start()
        try:
            yield link
        finally:
            stop.set()
            carrier.join()
    finally:
        for end in ends:
            os.close(end)
        for name in (link.near, link.far):
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _tun(namespace: str, address: str) -> int:
    """Return the descriptor of a TUN device inside the namespace."""
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        _enter(there)
        try:
            end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", b"tun0", IFF_TUN_NO_PI))
        finally:
            _enter(here)
    finally:
        os.close(here)
        os.close(there)
    _ip("-n", namespace, "address", "add", f"{address}/24", "dev", "tun0")
    for device in ("lo", "tun0"):
        _ip("-n", namespace, "link", "set", device, "up")
    return end


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)  # Python has os.setns() from 3.12 on
    if libc.setns(namespace, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _carry(near: int, far: int, delay_s: float, stop: threading.Event) -> None:
    other = {near: far, far: near}
    order = count()  # packets of the same moment stay in order
    under_way: list[tuple[float, int, int, bytes]] = []
    while not stop.is_set():
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else IDLE_S
        for end in select.select([near, far], [], [], min(wait, IDLE_S))[0]:
            with suppress(BlockingIOError):
                while True:
                    packet = os.read(end, MAX_PACKET)
                    heapq.heappush(under_way, (time.monotonic() + delay_s, next(order), other[end], packet))
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, end, packet = heapq.heappop(under_way)
            os.write(end, packet)
