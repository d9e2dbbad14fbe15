"""A wall clock that a test sets for one process, by Debian's libfaketime; monotonic time goes on as it is."""

from pathlib import Path

from tests.support.requirements import missing

LIBRARIES = "/usr/lib"
LIBRARY = "*/faketime/libfaketimeMT.so.1"  # the one for programs with threads


class FakeTime:
    """What the process whose environment holds `variables` takes for the time of day."""

    def __init__(self, folder: Path) -> None:
        """Begin with the true time."""
        library = next(Path(LIBRARIES).glob(LIBRARY), None) or missing("libfaketime is not installed")
        self._file = folder / "faketime"
        self.variables = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",  # a change is seen at once
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.jump("+0")

    def jump(self, offset: str) -> None:
        """Set the clock to the true time and `offset`: "+1y", "-1d"."""
        # Whole or not at all: a half-written file is a wrong time.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset}\n")
        fresh.replace(self._file)
