"""A small HTTP client for the running daemon, quick to import."""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from app.cli.ending import CONFIGURATION, DENIED, PROTOCOL, REFUSED, TEMPORARY, USAGE, fail, warn
from app.cli.exchange import HttpAnswer, NotHttp, exchange
from app.cli.line import PORTS, BrokenOff
from app.domain.spooled import SpooledAlert
from app.version import __version__

DEFAULT_URL = "http://127.0.0.1:8825"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
TOKEN_FILE = Path("~/.config/mailalert/token")
TIMEOUT_S = 30.0  # for what the daemon looks up or changes; a long list takes it a second
HAND_IN_S = 10.0  # for an alert: a commit takes milliseconds; a disk that is busy with something else may take seconds
SLOWEST = 256 << 10  # bytes a second that a body needs at least: ADSL, and what nobody calls a network any more
JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
PROBLEM = "application/problem+json"  # RFC 9457; another service that listens there answers errors with plain JSON
OUR_PROBLEMS = "/problems/"  # how the types of ours begin, in app/httpkit/problems.py
UNUSABLE = frozenset({400, 422})  # the body was read, and no alert follows from it
RAISED = "Alert-Raised"  # of the answer to a ping: "yes" if an alert came of it, as in app/web/heartbeats.py


class ClientError(Exception):
    """The daemon did not do what was asked; `code` is the exit code, `status` that of the answer, 0 without one.

    `retry_after_s` is what the daemon said, in seconds. `is_final`: it is our daemon that has read what it got and
    says that it is wrong; it would say so again.
    """

    def __init__(
        self, message: str, code: int, *, status: int = 0, retry_after_s: float = 0.0, is_final: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.retry_after_s = retry_after_s
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class Daemon:
    """Where the daemon listens, and the token it wants. The token never shows in a repr."""

    url: str
    token: str = field(default="", repr=False)
    timeout_s: float = TIMEOUT_S

    @property
    def fingerprint(self) -> bytes:
        """What the daemon knows of the token: its SHA-256, b"" without one."""
        return sha256(self.token.encode()).digest() if self.token else b""

    def get(self, path: str, *, wants: str) -> dict[str, Any]:
        """Return the answer at `path`, in which there is a field `wants`. Raises ClientError with the remedy."""
        return self._ask("GET", path, wants=wants)

    def post(self, path: str, body: dict[str, Any] | None = None, *, wants: str) -> dict[str, Any]:
        """Post `body` as JSON, or nothing, and return the answer likewise."""
        if body is None:
            return self._ask("POST", path, wants=wants)
        return self._ask("POST", path, json.dumps(body).encode(), JSON, wants=wants)

    def post_alert(self, alert: SpooledAlert) -> dict[str, Any]:
        """Post a native alert under its key: again is not twice. Return the answer likewise."""
        receivers = "&".join(f"receiver={quoted(name)}" for name in alert.receivers)
        path = f"/alerts/native{'?' if receivers else ''}{receivers}"
        return self._ask("POST", path, alert.body, {**JSON, "Idempotency-Key": alert.key}, wants="id")

    def ping(self, path: str, text: str = "") -> bool:
        """Post to a heartbeat, with a text that it keeps; return whether an alert came of it. Raises ClientError."""
        answer = self._answer("POST", path, text.encode(errors="backslashreplace"), TEXT)
        _understood(self.url, answer, "")
        return answer.fields.get(RAISED.lower()) == "yes"

    def delete(self, path: str, *, wants: str) -> dict[str, Any]:
        """Delete what is at `path`, and return the answer likewise."""
        return self._ask("DELETE", path, wants=wants)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        fields: Mapping[str, str] | None = None,
        wants: str = "",
    ) -> dict[str, Any]:
        return _understood(self.url, self._answer(method, path, body, fields), wants)

    def _answer(
        self, method: str, path: str, body: bytes | None = None, fields: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        headers = {"User-Agent": f"mailalert/{__version__}", **(fields or {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        url = _parts(self.url)
        target = url.path.rstrip("/") + path
        timeout_s = self.timeout_s + len(body or b"") / SLOWEST
        try:
            return exchange(url, method, target, headers, body or b"", timeout_s=timeout_s)
        except TimeoutError:
            raise ClientError(
                f"{self.url} gave no answer in {timeout_s:.0f} s; it may have done what was asked all the same",
                TEMPORARY,
            ) from None
        except BrokenOff:
            raise ClientError(f"a signal came before {self.url} gave an answer", TEMPORARY) from None
        except OSError as error:
            raise ClientError(
                f"cannot reach the daemon at {self.url} ({error.strerror or error}); is it running "
                "(mailalert serve)? Another address goes into --url or MAILALERT_URL",
                TEMPORARY,
            ) from None
        except NotHttp as error:
            raise ClientError(f"what answers at {self.url} speaks no HTTP ({error})", PROTOCOL) from None


@contextmanager
def client_errors() -> Iterator[None]:
    """Let a ClientError end the command, with its message and its code."""
    try:
        yield
    except ClientError as error:
        fail(error, error.code)


def quoted(name: str) -> str:
    """Return `name` as a part of a URL; bytes of an argument that are no UTF-8 as question marks."""
    return quote(name, safe="", errors="replace")


def is_local(url: str) -> bool:
    """Tell whether the daemon at `url` is one of this machine."""
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False


def check_url(url: str) -> None:
    """Raise ClientError if `url` is no address of a daemon."""
    _parts(url)


def read_token() -> str:
    """Return the token of this user, from the file in MAILALERT_TOKEN_FILE or TOKEN_FILE, or "" without one."""
    named = os.environ.get("MAILALERT_TOKEN_FILE")
    file = Path(named) if named else _own_token_file()
    if file is None:
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


def _own_token_file() -> Path | None:
    """Return it if it is there. Whoever has no home, or may not look into it, has no token either."""
    try:
        file = TOKEN_FILE.expanduser()
        return file if file.exists() else None
    except (OSError, RuntimeError):
        return None


def _parts(url: str) -> SplitResult:
    wrong = ClientError(
        f"{url if '@' not in url else 'that'} is no address of a daemon; write it as {DEFAULT_URL} "
        "(the token has its own file, MAILALERT_TOKEN_FILE)",
        USAGE,
    )
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in PORTS and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        raise wrong from None
    if not is_right or not url.isascii() or not url.isprintable() or " " in url:
        raise wrong
    return parts


def _understood(url: str, answer: HttpAnswer, wants: str) -> dict[str, Any]:
    """Return the answer if it is what was asked for. One that needs to hold no field may be any text."""
    status = answer.status
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    known = document if isinstance(document, dict) else {}
    if 200 <= status <= 299 and (not wants or wants in known):
        return known
    if status == 401:
        raise ClientError(
            f"the daemon wants a token{_why(known)}; put it alone into {TOKEN_FILE}, "
            "or name its file in MAILALERT_TOKEN_FILE",
            DENIED,
            status=status,
        )
    if status == 403 and known:
        raise ClientError(f"the daemon does not allow it{_why(known)}", DENIED, status=status)
    if status >= 500 or status in {408, 429}:
        pause = _seconds(answer.fields.get("retry-after", ""))
        message = f"the daemon cannot do it just now ({status}){_why(known)}"
        raise ClientError(message, TEMPORARY, status=status, retry_after_s=pause)
    if status >= 400 and answer.fields.get("content-type", "").startswith(PROBLEM):
        is_final = status in UNUSABLE and str(known.get("type", "")).startswith(OUR_PROBLEMS)
        message = f"the daemon refused it ({status}){_why(known)}"
        raise ClientError(message, REFUSED, status=status, is_final=is_final)
    raise ClientError(f"what answers at {url} is no mailalert (status {status}); see --url", PROTOCOL, status=status)


def _seconds(retry_after: str) -> float:
    """RFC 9110 section 10.2.3: a number of seconds; a date, which our daemon never sends, counts as none."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0


def _why(problem: dict[str, Any]) -> str:
    """Return what a problem document says (RFC 9457), with each bad field on a line of its own."""
    reason = problem.get("detail") or problem.get("title")
    errors = problem.get("errors")
    known = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    lines = [f"  {str(error.get('pointer', '')).lstrip('/')}: {error.get('detail', '')}" for error in known]
    return "\n".join([f": {reason}" if reason else "", *lines])
