"""One HTTP request and its answer, over a connection of its own.

Python's http.client does more than is needed here, and its import takes longer than everything else a command does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult

from app.cli.line import Line

MAX_ANSWER = 16 << 20  # bytes that are read of an answer; a full page of dead letters may take a few MiB
HEAD_END = b"\r\n\r\n"


class NotHttp(Exception):
    """What answers speaks no HTTP, or broke off."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status, header fields with their names in lower case, and body."""

    status: int
    fields: Mapping[str, str]
    body: bytes = field(repr=False)


def exchange(
    url: SplitResult, method: str, path: str, fields: Mapping[str, str], body: bytes = b"", *, timeout_s: float
) -> HttpAnswer:
    """Send the request to the host of `url`, and return the answer; all within `timeout_s` seconds.

    Raises OSError, TimeoutError and BrokenOff among them, and NotHttp.
    """
    # HTTP/1.0 (RFC 1945): the answer ends with the connection, and no server may send it in chunks.
    request = {"Host": url.netloc, "Connection": "close", "Content-Length": str(len(body)), **fields}
    head = f"{method} {path} HTTP/1.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in request.items())
    with Line(url, timeout_s=timeout_s) as line:
        failed: OSError | None = None
        try:
            line.send(head.encode("ascii") + b"\r\n" + body)
        except (BrokenPipeError, ConnectionResetError) as error:
            failed = error  # a body that is too large is answered before it is read
        try:
            data = _read_all(line)
        except ConnectionResetError as error:
            raise failed or error from None
    if failed and not data:
        raise failed
    return _parsed(data)


def _read_all(line: Line) -> bytes:
    data = bytearray()
    while len(data) <= MAX_ANSWER and (chunk := line.read()):
        data += chunk
    return bytes(data)


def _parsed(data: bytes) -> HttpAnswer:
    head, end, body = data.partition(HEAD_END)
    status_line, *lines = head.decode("latin-1").split("\r\n")
    words = status_line.split(" ", 2)
    if not end or not words[0].startswith("HTTP/1.") or len(words) < 2 or not _is_status(words[1]):
        raise NotHttp("no HTTP")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = fields.get("content-length", "")
    if length.isascii() and length.isdigit() and len(body) < int(length):
        raise NotHttp("the answer broke off")
    return HttpAnswer(int(words[1]), fields, body)


def _is_status(word: str) -> bool:
    return len(word) == 3 and word.isascii() and word.isdigit()
