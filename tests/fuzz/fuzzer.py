"""What all targets of libFuzzer (by atheris) share: where things lie, the first inputs, and how one is run again.

What a target learns stays in .fuzz/NAME/corpus; an input that fails is written to .fuzz/NAME, and the exit status is
not 0. A file's name on the command line runs that input alone.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import atheris

FOLDER = Path(".fuzz")
MAX_WORD = 60  # octets; libFuzzer takes words of at most 64


def fuzz(
    one_input: Callable[[bytes], None],
    *,
    name: str,
    limits: Sequence[str],
    seeds: Iterable[bytes],
    words: Iterable[bytes],
) -> None:
    """Run the target by the options of the command line. `words` are mixed into the inputs that begin as `seeds`."""
    arguments = sys.argv[1:]
    if all(argument.startswith("-") for argument in arguments):
        arguments += _prepare(FOLDER / name, seeds, words)
    atheris.Setup([sys.argv[0], *limits, *arguments], one_input)
    atheris.Fuzz()


def _prepare(folder: Path, seeds: Iterable[bytes], words: Iterable[bytes]) -> list[str]:
    """Write what the fuzzer starts from, and return the options that name it."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    dictionary = folder / "dictionary"
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in words if 0 < len(word) <= MAX_WORD))
    return [f"-dict={dictionary}", f"-artifact_prefix={folder}/", str(corpus)]


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)
