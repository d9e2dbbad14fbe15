"""Logs: events with fields, as JSON lines for machines and in colour on a terminal, on one descriptor."""

import asyncio
import json
import logging
import os
import select
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor

STDERR = 2
MAX_WAIT_MS = 50  # for a reader that lags; one that has stopped costs lines, never the daemon
MIN_SECRET = 6  # blotting out a shorter one would blot out ordinary words as well
BLOT = "[secret]"


class LineSink:
    """Writes lines to a descriptor, and never blocks or fails for long: what cannot be written is counted.

    Inside an event loop the lines of one turn leave in one write: a system call and two hand-overs of the GIL
    for each accepted alert would cost more than everything else that is done for it.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        self._main_thread = threading.main_thread().ident
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._lost = 0

    def write(self, line: bytes) -> None:
        """Write `line`, which has its line end, at the end of this turn of the loop; at once outside of a loop."""
        if threading.get_ident() != self._main_thread:
            return self._write([line])
        self._lines.append(line)
        if len(self._lines) == 1:
            try:
                asyncio.get_running_loop().call_soon(self.flush)
            except RuntimeError:  # no loop runs
                self.flush()
        return None

    def flush(self) -> None:
        """Write what is gathered."""
        lines, self._lines = self._lines, []
        self._write(lines)

    def _write(self, lines: Sequence[bytes]) -> None:
        """Write the lines, in pieces that a pipe takes whole and without waiting once it polls writable."""
        with self._lock:  # one poll object serves all threads, and takes one caller at a time
            self._write_all(lines)

    def _write_all(self, lines: Sequence[bytes]) -> None:
        data = b"".join(lines)
        if self._lost:
            data = b'\n{"event":"log_lines_lost","count":%d}\n%s' % (self._lost, data)
        patience_ms = 0 if self._lost else MAX_WAIT_MS  # a reader that has stopped is not waited for again
        try:
            for start in range(0, len(data), select.PIPE_BUF):  # POSIX write()
                if not self._poll.poll(patience_ms):
                    self._lost += len(lines)
                    return
                os.write(self._fd, data[start : start + select.PIPE_BUF])
        except OSError:  # the reader is gone (EPIPE), the disk is full: alerts matter more than logs
            self._lost += len(lines)
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
        event = {"time": self._now(), "level": level, "event": fields.pop("event", ""), **fields}
        line = self._quick(event) or self._encode(event)
        for blot in self._blots:
            line = line.replace(blot, BLOT)
        return line.encode() + b"\n"

    def _quick(self, event: EventDict) -> str:
        """Return the line if it is plain ASCII, as nearly all are, else nothing."""
        try:
            line = orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS)
        except TypeError:
            return ""
        return line.decode() if line.isascii() else ""

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
