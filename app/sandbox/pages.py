"""The sandbox in the browser and as JSON: the list of its mails, and each one in every view."""

import json
import re
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from app.domain.ports import Clock
from app.httpkit import problems
from app.sandbox.preview import Preview, preview
from app.sandbox.rendering import asset, page
from app.sandbox.store import KeptMail, SandboxStore

# Nothing from other hosts, no inline script, and nobody may put the page in a frame.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A mail's own HTML: an origin of its own, no script, nothing fetched; only the page may frame it.
MAIL_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'self'"
)
Responses = dict[int | str, dict[str, Any]]  # by status, as FastAPI takes them
VIEWS = ("html", "text", "headers", "source")
DEFAULT_HOST = "127.0.0.1:8825"
_SAFE_IN_SHELL = re.compile(r"[A-Za-z0-9.:\[\]-]+")  # the page offers a command line to copy


def sandbox_router(store: SandboxStore, *, clock: Clock) -> APIRouter:
    """Return the routes under `/sandbox`."""
    pages = SandboxPages(store, clock)
    router = APIRouter(prefix="/sandbox", tags=["sandbox"])
    gone: Responses = {404: _problem("No such mail, or newer ones displaced it")}
    shown: Responses = {
        304: {"description": "Nothing has come since"},
        404: {"description": "No such mail any more", "content": {"text/html": {}}},
    }
    router.add_api_route(
        "", pages.show, summary="The mails in the browser", responses=shown, response_class=HTMLResponse
    )
    router.add_api_route("/mails", pages.mails, summary="The mails, newest first")
    router.add_api_route("/mails/{number}", pages.mail, summary="One mail", responses=gone)
    router.add_api_route(
        "/mails/{number}/source", pages.source, summary="Its source", responses=gone, response_class=PlainTextResponse
    )
    router.add_api_route(
        "/mails/{number}/html", pages.html, summary="Its HTML, isolated", responses=gone, response_class=HTMLResponse
    )
    router.add_api_route("/static/{name}", pages.static, include_in_schema=False)
    return router


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {problems.CONTENT_TYPE.decode(): {}}}


class SandboxPages:
    """The handlers."""

    def __init__(self, store: SandboxStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def show(self, request: Request, mail: int | None = None, view: str = "") -> Response:
        """Answer with the page: the list, and the mail that was asked for in one of its views."""
        mails = self._store.newest_first()
        newest = mails[0].mail.received_at.timestamp() if mails else 0  # a restart begins to count anew
        etag = f'"{self._store.received}-{newest}"'
        if request.headers.get("if-none-match") == etag:
            return _response("", status=304, etag=etag)
        kept = None if mail is None else self._store.get(mail)
        shown = preview(kept.mail.data) if kept else None
        content = page(
            mails=mails,
            received=self._store.received,
            now=self._clock.now(),
            kept=kept,
            shown=shown,
            view=_view(shown, view),
            wanted=mail,
            base_url=f"{request.url.scheme}://{_host(request)}",
        )
        missing = mail is not None and kept is None
        return _response(content, "text/html", status=404 if missing else 200, etag=etag)

    async def mails(self) -> Response:
        """Answer with the list as JSON."""
        summaries = [_summary(kept) for kept in self._store.newest_first()]
        return _json({"received": self._store.received, "mails": summaries})

    async def mail(self, number: int) -> Response:
        """Answer with all of one mail as JSON."""
        kept = self._store.get(number)
        return _json(_detail(kept)) if kept else _gone()

    async def source(self, number: int) -> Response:
        """Answer with the bytes of the mail, to be read or saved."""
        kept = self._store.get(number)
        if kept is None:
            return _gone()
        response = _response(kept.mail.data, "text/plain")
        response.headers["Content-Disposition"] = f'inline; filename="sandbox-mail-{number}.eml"'
        return response

    async def html(self, number: int) -> Response:
        """Answer with the HTML part of the mail, for the page's frame."""
        kept = self._store.get(number)
        html = preview(kept.mail.data).html if kept else None
        if html is None:
            return _gone()
        return _response(html, "text/html", policy=MAIL_POLICY, framing="SAMEORIGIN")

    async def static(self, name: str) -> Response:
        """Answer with a style sheet or a script of the page."""
        found = asset(name)
        return _gone() if found is None else _response(*found)


def _view(shown: Preview | None, wanted: str) -> str:
    """Return the view to show: the wanted one if the mail has it, else the richest."""
    if shown is None:
        return ""
    available = [v for v in VIEWS if v not in {"html", "text"} or getattr(shown, v) is not None]
    return wanted if wanted in available else available[0]


def _host(request: Request) -> str:
    host = request.headers.get("host", "")
    return host if _SAFE_IN_SHELL.fullmatch(host) else DEFAULT_HOST


def _summary(kept: KeptMail) -> dict[str, Any]:
    """`from` and `to` are of the envelope: where the mail really came from and went."""
    return {
        "id": kept.number,
        "received_at": _time(kept.mail.received_at),
        "from": kept.mail.mail_from,
        "to": kept.mail.recipients,
        "subject": kept.heading.subject,
        "message_id": kept.heading.message_id,
        "size": len(kept.mail.data),
    }


def _detail(kept: KeptMail) -> dict[str, Any]:
    shown = preview(kept.mail.data)
    return {
        **_summary(kept),
        "text": shown.text,
        "html": shown.html,
        "headers": [{"name": name, "value": value} for name, value in shown.headers],
        "attachments": [
            {"name": part.name, "media_type": part.media_type, "size": part.size} for part in shown.attachments
        ],
        "source": shown.source,
    }


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")  # RFC 3339 section 5.6


def _response(
    content: str | bytes,
    media_type: str | None = None,
    *,
    status: int = 200,
    policy: str = PAGE_POLICY,
    framing: str = "DENY",
    etag: str = "",
) -> Response:
    headers = {
        "Content-Security-Policy": policy,
        "X-Frame-Options": framing,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(content, status, headers | ({"ETag": etag} if etag else {}), media_type)


def _json(document: dict[str, Any]) -> Response:
    return _response(json.dumps(document), "application/json")


def _gone() -> Response:
    problem = problems.not_found("The sandbox holds no such mail; only the newest are kept.")
    return _response(problems.body(problem), problems.CONTENT_TYPE.decode(), status=problem.status)
