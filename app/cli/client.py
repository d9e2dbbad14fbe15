"""A small HTTP client for the running daemon, quick to import."""

import http.client
import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.cli.ending import CONFIGURATION, DENIED, PROTOCOL, REFUSED, TEMPORARY, USAGE, warn
from app.version import __version__

DEFAULT_URL = "http://127.0.0.1:8825"
TOKEN_FILE = Path("~/.config/mailalert/token")
TIMEOUT_S = 30.0  # a commit takes milliseconds; a disk that is busy with something else may take seconds
MAX_ANSWER = 16 << 20  # bytes that are read of an answer; a full page of dead letters may take a few MiB


class ClientError(Exception):
    """The daemon did not do what was asked; `code` is the exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Daemon:
    """Where the daemon listens, and the token it wants. The token never shows in a repr."""

    url: str
    token: str = field(default="", repr=False)

    def get(self, path: str, *, wants: str) -> dict[str, Any]:
        """Return the answer at `path`, in which there is a field `wants`. Raises ClientError with the remedy."""
        return self._ask("GET", path, None, wants)

    def post(self, path: str, body: dict[str, Any] | None = None, *, wants: str) -> dict[str, Any]:
        """Post `body` as JSON, or nothing, and return the answer likewise."""
        return self._ask("POST", path, body, wants)

    def delete(self, path: str, *, wants: str) -> dict[str, Any]:
        """Delete what is at `path`, and return the answer likewise."""
        return self._ask("DELETE", path, None, wants)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, wants: str) -> dict[str, Any]:
        headers = {"User-Agent": f"mailalert/{__version__}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection, base = _connection(self.url)
        try:
            connection.request(method, base + path, None if body is None else json.dumps(body).encode(), headers)
            response = connection.getresponse()
            return _answer(self.url, response.status, response.read(MAX_ANSWER), wants)
        except TimeoutError:
            raise ClientError(
                f"{self.url} gave no answer in {TIMEOUT_S:.0f} s; it may have done what was asked all the same",
                TEMPORARY,
            ) from None
        except OSError as error:
            raise ClientError(
                f"cannot reach the daemon at {self.url} ({error.strerror or error}); is it running "
                "(mailalert serve)? Another address goes into --url or MAILALERT_URL",
                TEMPORARY,
            ) from None
        except http.client.HTTPException as error:
            raise ClientError(f"what answers at {self.url} speaks no HTTP ({type(error).__name__})", PROTOCOL) from None
        finally:
            connection.close()


def read_token() -> str:
    """Return the token of this user, from the file in MAILALERT_TOKEN_FILE or TOKEN_FILE, or "" without one."""
    named = os.environ.get("MAILALERT_TOKEN_FILE")
    file = Path(named) if named else TOKEN_FILE.expanduser()
    if not named and not file.exists():
        return ""
    try:
        mode = file.stat().st_mode
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds other characters than ASCII"
        raise ClientError(f"cannot read the token file {file}: {reason}", CONFIGURATION) from None
    if stat.S_IMODE(mode) & stat.S_IROTH:
        warn(f"everybody on this machine can read the token file {file}; run chmod o-r {file}")
    if not token.isprintable() or not token:
        raise ClientError(f"the token file {file} must hold the token alone, on one line", CONFIGURATION)
    return token


def _connection(url: str) -> tuple[http.client.HTTPConnection, str]:
    wrong = ClientError(
        f"{url if '@' not in url else 'that'} is no address of a daemon; write it as {DEFAULT_URL} "
        "(the token has its own file, MAILALERT_TOKEN_FILE)",
        USAGE,
    )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise wrong
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname, port, timeout=TIMEOUT_S), parts.path.rstrip("/")


def _answer(url: str, status: int, body: bytes, wants: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    known = answer if isinstance(answer, dict) else {}
    if 200 <= status <= 299 and wants in known:
        return known
    if status == http.client.UNAUTHORIZED:
        raise ClientError(
            f"the daemon wants a token{_why(known)}; put it alone into {TOKEN_FILE}, "
            "or name its file in MAILALERT_TOKEN_FILE",
            DENIED,
        )
    if status >= 500 or status in {408, 429}:
        raise ClientError(f"the daemon cannot do it just now ({status}){_why(known)}", TEMPORARY)
    if status >= 400 and known:
        raise ClientError(f"the daemon refused it ({status}){_why(known)}", REFUSED)
    raise ClientError(f"what answers at {url} is no mailalert (status {status}); see --url", PROTOCOL)


def _why(problem: dict[str, Any]) -> str:
    """Return what a problem document says (RFC 9457), with each bad field on a line of its own."""
    reason = problem.get("detail") or problem.get("title")
    lines = [f": {reason}" if reason else ""]
    lines += [f"  {error['pointer'].lstrip('/')}: {error['detail']}" for error in problem.get("errors", ())]
    return "\n".join(lines)
