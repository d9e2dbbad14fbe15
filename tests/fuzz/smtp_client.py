"""Coverage-guided fuzzing of the client (atheris, libFuzzer): `make fuzz SECONDS=60`.

    python -m tests.fuzz.smtp_client -max_total_time=60
    python -m tests.fuzz.smtp_client .fuzz/crash-…          runs one input again

The first byte of an input says whether there is a login; 0xFF parts the pieces that the server says. What it
learns stays in .fuzz/corpus; an input that fails is written to .fuzz, and the exit status is not 0.
"""

import asyncio
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["app"]):
    from tests.fuzz.dialogue import converse
from tests.fuzz.server_words import FLIGHTS, LINES

FOLDER = Path(".fuzz")
SEPARATOR = b"\xff"
LOGIN, NO_LOGIN = b"L", b"-"
LIMITS = ("-timeout=10", "-rss_limit_mb=512", "-max_len=4096")  # seconds for one input; a session takes 0.3 ms
LOOP = asyncio.new_event_loop()


def one_input(data: bytes) -> None:
    """Play one server."""
    LOOP.run_until_complete(converse(data[1:].split(SEPARATOR), login=data[:1] == LOGIN))


def prepare() -> list[str]:
    """Write what the fuzzer starts from, and return the options that name it."""
    corpus = FOLDER / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for name, kind in (("login", LOGIN), ("no-login", NO_LOGIN)):
        flights = [*FLIGHTS[:2], b"235 2.7.0 welcome\r\n", *FLIGHTS[2:]] if kind == LOGIN else FLIGHTS
        (corpus / name).write_bytes(kind + SEPARATOR.join(flights))
    dictionary = FOLDER / "dictionary"
    dictionary.write_text("".join(f'"{_escaped(line)}"\n' for line in LINES))
    return [f"-dict={dictionary}", f"-artifact_prefix={FOLDER}/", str(corpus)]


def _escaped(line: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in line)


if __name__ == "__main__":
    replay = any(not argument.startswith("-") for argument in sys.argv[1:])
    atheris.Setup([sys.argv[0], *LIMITS, *sys.argv[1:], *([] if replay else prepare())], one_input)
    atheris.Fuzz()
