"""Coverage-guided fuzzing of the client: `make fuzz SECONDS=60`.

    python -m tests.fuzz.smtp_client -max_total_time=60
    python -m tests.fuzz.smtp_client .fuzz/smtp_client/crash-…          runs one input again

The first byte of an input says whether there is a login; 0xFF parts the pieces that the server says.
"""

import asyncio

import atheris

with atheris.instrument_imports(include=["app"]):
    from tests.fuzz.dialogue import converse
from tests.fuzz.fuzzer import fuzz
from tests.fuzz.server_words import FLIGHTS, LINES

SEPARATOR = b"\xff"
LOGIN, NO_LOGIN = b"L", b"-"
LIMITS = ("-timeout=10", "-rss_limit_mb=512", "-max_len=4096")  # seconds for one input; a session takes 0.3 ms
LOOP = asyncio.new_event_loop()
SEEDS = (
    LOGIN + SEPARATOR.join([*FLIGHTS[:2], b"235 2.7.0 welcome\r\n", *FLIGHTS[2:]]),
    NO_LOGIN + SEPARATOR.join(FLIGHTS),
)


def one_input(data: bytes) -> None:
    """Play one server."""
    LOOP.run_until_complete(converse(data[1:].split(SEPARATOR), login=data[:1] == LOGIN))


if __name__ == "__main__":
    fuzz(one_input, name="smtp_client", limits=LIMITS, seeds=SEEDS, words=LINES)
