"""How `mailalert check` tells what it finds."""

from collections.abc import Sequence

OK = "ok"
NOTE = "note"  # works, and may not for long or not everywhere
FAILED = "FAILED"
DO = "do"  # what may mend it


def say(mark: str, text: str) -> None:
    """Print one finding."""
    print(f"{mark:<7} {text}", flush=True)


def show_dialogue(lines: Sequence[str]) -> None:
    """Print what was said to a relay and what it answered."""
    if lines:
        print("\nWhat was said (C: this machine, S: the relay):")
        print("\n".join(f"  {line}" for line in lines), end="\n\n")
