"""Logs: events with fields, as JSON lines for machines and in colour on a terminal, on one descriptor."""

import json
import logging
import os
import select
import time
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor

STDERR = 2
MAX_WAIT_MS = 50  # for a reader that lags; one that has stopped costs lines, never the daemon
MIN_SECRET = 6  # blotting out a shorter one would blot out ordinary words as well
BLOT = "[secret]"


class LineSink:
    """Writes lines to a descriptor, and never blocks or fails for long: what cannot be written is counted."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        self._lost = 0

    def write(self, line: bytes) -> None:
        """Write `line` with its line end, or drop it."""
        if self._lost:
            line = b'\n{"event":"log_lines_lost","count":%d}\n%s' % (self._lost, line)
        try:
            # POSIX write(): a pipe that polls writable takes PIPE_BUF bytes whole and without waiting.
            for start in range(0, len(line), select.PIPE_BUF):
                if not self._poll.poll(MAX_WAIT_MS if start or not self._lost else 0):
                    self._lost += 1
                    return
                os.write(self._fd, line[start : start + select.PIPE_BUF])
        except OSError:  # the reader is gone (EPIPE), the disk is full: alerts matter more than logs
            self._lost += 1
            return
        self._lost = 0

    # structlog calls the method that the level names.
    debug = info = warning = error = critical = write


class JsonLine:
    """Renders an event as one line of JSON: time, level and event first, then its fields.

    One processor instead of structlog's usual chain of five: a line is written for every alert.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # ASCII only: lone surrogates and U+2028 survive every reader.
        self._encode = json.JSONEncoder(default=repr, separators=(",", ":")).encode
        self._exceptions = ExceptionDictTransformer(show_locals=False, use_rich=False)  # locals hold secrets
        self._blots = [self._encode(secret)[1:-1] for secret in secrets if len(secret) >= MIN_SECRET]
        self._second = 0
        self._stamp = ""

    def __call__(self, _logger: object, level: str, fields: EventDict) -> bytes:
        """Render; a processor of structlog."""
        if "exc_info" in fields:
            ExceptionRenderer(self._exceptions)(None, level, fields)
        line = self._encode({"time": self._now(), "level": level, "event": fields.pop("event", ""), **fields})
        for blot in self._blots:
            line = line.replace(blot, BLOT)
        return line.encode() + b"\n"

    def _now(self) -> str:
        millis = time.time_ns() // 1_000_000
        second, fraction = divmod(millis, 1000)
        if second != self._second:  # formatting a date costs more than all the rest of the line
            self._second = second
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._stamp}.{fraction:03d}Z"


class ColourLine:
    """Renders an event for the eyes of a person at a terminal."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = [secret for secret in secrets if len(secret) >= MIN_SECRET]
        self._render = structlog.dev.ConsoleRenderer(
            colors=True,
            pad_event_to=20,
            exception_formatter=structlog.dev.plain_traceback,  # the others show locals, which hold secrets
        )

    def __call__(self, logger: object, level: str, fields: EventDict) -> bytes:
        """Render; a processor of structlog."""
        # A relay's reply must not move the cursor or set colours.
        safe = {key: _printable(value) for key, value in fields.items()}
        stamped = {**safe, "timestamp": time.strftime("%H:%M:%S"), "level": level}
        line = self._render(logger, level, stamped)
        for secret in self._secrets:
            line = line.replace(secret, BLOT)
        return line.encode(errors="backslashreplace") + b"\n"


class StandardLibraryBridge(logging.Handler):
    """Passes what uvicorn, aiosmtpd and asyncio log to the same renderer."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record as an event, its text as the event's name."""
        extra: dict[str, Any] = {"exc_info": record.exc_info} if record.exc_info else {}
        log = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        log(record.getMessage(), logger=record.name, **extra)


def configure_logs(*, secrets: Sequence[str] = (), fd: int = STDERR) -> None:
    """Send all logs to `fd`: JSON lines, or colour if it is a terminal.

    `secrets` are blotted out wherever they turn up, a net below the care that is taken not to log them.
    """
    sink = LineSink(fd)
    render: Processor = ColourLine(secrets) if os.isatty(fd) else JsonLine(secrets)
    structlog.configure(
        processors=[render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: sink,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[StandardLibraryBridge()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)


def _printable(value: object) -> object:
    return value if not isinstance(value, str) or value.isprintable() else repr(value)
