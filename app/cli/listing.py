"""Lists on stdout: a table for people on a terminal, lines with tabs in a pipe, JSON for those who ask for it."""

import shutil
import sys
from collections.abc import Callable, Iterable, Sequence

from app.cli.printable import json_text, write_lines


def show_list(
    documents: Sequence[object],
    *,
    as_json: bool,
    people: Callable[[int], Iterable[str]],
    programs: Callable[[], Iterable[str]],
) -> None:
    """Print the documents as JSON, or the lines of `people` for the terminal's width, or those of `programs`."""
    if as_json:
        write_lines([json_text(documents)])
    elif sys.stdout.isatty():
        write_lines(people(shutil.get_terminal_size().columns))
    else:
        write_lines(programs())
