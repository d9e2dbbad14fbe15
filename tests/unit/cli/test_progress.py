"""A progress bar shows only where it helps."""

import io

from app.cli.progress import ProgressBar
from tests.support.terminal import Terminal


def drawn(stream: io.StringIO, *, seconds: float) -> str:
    """Return what a bar at 40 % draws after that time."""
    times = iter([0.0, seconds])
    with ProgressBar(stream, monotonic=lambda: next(times)) as bar:
        bar.show(0.4, "200 are queued again")
        return stream.getvalue()


def test_a_bar_shows_on_a_terminal_once_it_takes_long() -> None:
    """How much is done, as a bar, a share and words."""
    assert drawn(Terminal(), seconds=2).endswith("[############..................]  40%  200 are queued again")


def test_what_is_over_at_once_has_no_bar() -> None:
    """Nothing flickers."""
    assert drawn(Terminal(), seconds=0.5) == ""


def test_no_bar_goes_into_a_file() -> None:
    """A log of a cron job stays readable."""
    assert drawn(io.StringIO(), seconds=2) == ""


def test_the_bar_leaves_nothing_behind() -> None:
    """The next line of the terminal begins as if there had been none."""
    terminal = Terminal()
    drawn(terminal, seconds=2)
    assert terminal.getvalue().endswith("\r\x1b[K")
