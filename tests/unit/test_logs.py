"""Logs are lines that machines and people can read, show no secret, and never stop the daemon."""

import json
import logging
import os
import pty
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from app.logs import JsonLine, LineSink, configure_logs

CANARY = "canary-8f3a"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Leave the process-wide set-up of both logging systems as it was."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], _ = before
    root.setLevel(before[1])
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Lines]:
    """Configure logs into a file, and return what has been written."""
    file = tmp_path / "log"
    fd = os.open(file, os.O_WRONLY | os.O_CREAT)
    configure_logs(fd=fd, secrets=(CANARY, "tiny"))
    yield lambda: [json.loads(line) for line in file.read_text().splitlines()]
    os.close(fd)


def test_an_event_is_one_line_of_json(lines: Lines) -> None:
    """Time, level and event stand first, then the fields."""
    structlog.get_logger().info("alert_accepted", id="0ABC", count=2, text="two\nlines \ud800 \u2028")
    (line,) = lines()
    assert list(line) == ["time", "level", "event", "id", "count", "text"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert line["text"] == "two\nlines \ud800 \u2028"


def test_debug_is_left_out(lines: Lines) -> None:
    """Details for developers cost nothing in production."""
    structlog.get_logger().debug("detail")
    assert lines() == []


def test_an_exception_has_its_frames_but_no_locals(lines: Lines) -> None:
    """A traceback is structured, and what variables held stays unsaid."""
    password = "do-not-show"  # noqa: F841 - a local that must not show
    try:
        int("broken")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines()
    assert line["level"] == "error"
    assert "broken" in line["exception"][0]["exc_value"]
    assert line["exception"][0]["frames"][0]["name"] == "test_an_exception_has_its_frames_but_no_locals"
    assert "do-not-show" not in json.dumps(line)


def test_what_other_libraries_log_takes_the_same_way(lines: Lines) -> None:
    """Warnings of the standard library's logging are events too, with the name of their logger."""
    logging.getLogger("some.library").warning("100%% of %s", "x")
    logging.getLogger("some.library").info("chatter")
    (line,) = lines()
    assert (line["level"], line["event"], line["logger"]) == ("warning", "100% of x", "some.library")


def test_an_exception_of_another_library_keeps_its_traceback(lines: Lines) -> None:
    """A fault inside asyncio can be found."""
    try:
        int("inside")
    except ValueError:
        logging.getLogger("asyncio").exception("Task failed")
    (line,) = lines()
    assert (line["level"], line["exception"][0]["exc_type"]) == ("error", "ValueError")


def test_python_warnings_are_logged(lines: Lines) -> None:
    """A deprecation seen in production is an event, not loose text."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert lines()[0]["logger"] == "py.warnings"


@pytest.mark.parametrize("render", ["field", "event", "exception", "other library"])
def test_a_known_secret_is_blotted_out(lines: Lines, render: str) -> None:
    """Should a secret reach a log call after all, the line hides it."""
    log = structlog.get_logger()
    match render:
        case "field":
            log.info("x", reply=f"535 {CANARY} refused")
        case "event":
            log.info(CANARY)
        case "exception":
            log.info("x", exc_info=ValueError(CANARY))
        case _:
            logging.getLogger("x").error("%s", CANARY)
    assert CANARY not in json.dumps(lines())
    assert "[secret]" in json.dumps(lines())


def test_a_short_secret_does_not_spoil_the_logs(lines: Lines) -> None:
    """Blotting out "tiny" would hide ordinary words."""
    structlog.get_logger().info("tiny")
    assert lines()[0]["event"] == "tiny"


def test_a_secret_with_quotes_is_found_in_json() -> None:
    """A line holds a secret as JSON writes it."""
    line = JsonLine(['pass"wörd'])(None, "info", {"event": "x", "a": 'pass"wörd'})
    assert json.loads(line)["a"] == "[secret]"


def test_what_is_no_json_is_shown_all_the_same(lines: Lines) -> None:
    """A field of any type cannot break the line."""
    structlog.get_logger().info("x", path=Path("/a"), data=b"\xff", nested={"s": {1}})
    assert lines()[0]["nested"] == {"s": "{1}"}


def test_a_terminal_gets_colour() -> None:
    """A person at a terminal reads words in colour, and no relay moves the cursor."""
    leader, follower = pty.openpty()
    configure_logs(fd=follower, secrets=(CANARY,))
    structlog.get_logger().warning("mail_deferred", reply="450 \x1b[2J", token=CANARY)
    shown = os.read(leader, 4096).decode()
    os.close(leader)
    os.close(follower)
    assert "mail_deferred" in shown
    assert "\x1b[" in shown
    assert "\x1b[2J" not in shown
    assert CANARY not in shown


def test_a_reader_that_is_gone_does_no_harm() -> None:
    """A closed pipe costs the lines and nothing else."""
    reader, writer = os.pipe()
    os.close(reader)
    sink = LineSink(writer)
    sink.write(b"lost\n")
    os.close(writer)
    sink.write(b"lost as well\n")
    assert sink._lost == 2


def test_a_reader_that_stopped_costs_lines_and_they_are_counted() -> None:
    """A full pipe never blocks the daemon; the next line that gets through tells how many are missing."""
    reader, writer = os.pipe()
    sink = LineSink(writer)
    for _ in range(100):
        sink.write(b"x" * 4000 + b"\n")
    os.read(reader, 1 << 20)
    sink.write(b"after\n")
    last = os.read(reader, 1 << 20).decode().splitlines()
    os.close(reader)
    os.close(writer)
    assert json.loads(last[-2])["event"] == "log_lines_lost"
    assert json.loads(last[-2])["count"] > 50
    assert last[-1] == "after"


def test_a_long_line_arrives_whole() -> None:
    """A traceback may be longer than a pipe takes at once."""
    reader, writer = os.pipe()
    LineSink(writer).write(b"y" * 20_000 + b"\n")
    assert len(os.read(reader, 1 << 20)) == 20_001
    os.close(reader)
    os.close(writer)


def test_several_threads_log_at_once() -> None:
    """Every line arrives whole, whichever thread wrote it."""
    reader, writer = os.pipe()
    sink = LineSink(writer)
    threads = [threading.Thread(target=lambda: [sink.write(b"x" * 99 + b"\n") for _ in range(100)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == (b"x" * 99 + b"\n") * 400
