"""How `mailalert check` tells what it finds."""

from collections.abc import Sequence

OK = "ok"
NOTE = "note"  # works, and may not for long or not everywhere
FAILED = "FAILED"
DO = "do"  # what may mend it


def say(mark: str, text: str) -> None:
    """Print one finding."""
    print(f"{mark:<7} {text}", flush=True)


def show_dialogue(lines: Sequence[str], *, whom: str = "the relay") -> None:
    """Print what was said to `whom` and what was answered."""
    if lines:
        print(f"\nWhat was said (C: this machine, S: {whom}):")
        print("\n".join(f"  {line}" for line in lines), end="\n\n")
