"""An address of this machine that is not loopback."""

import socket

from tests.support.requirements import missing


def own_address() -> str:
    """Return one that a server here may listen on; the test is skipped where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))  # RFC 5737; nothing is sent, it only finds the way out
        except OSError:
            missing("this machine has only loopback addresses")
        return str(probe.getsockname()[0])
