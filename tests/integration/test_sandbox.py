"""The sandbox whole: mails go in by SMTP and are seen over HTTP."""

import asyncio
import http.client
import json
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from app.clock import SystemClock
from app.domain.relay import Relay
from app.sandbox.pages import sandbox_router
from app.sandbox.relay import SandboxRelay
from tests.support.background import HANG, BackgroundLoop

EVIL = "<script>alert(1)</script>"


class Site:
    """The sandbox's relay and its pages, served in a loop of their own."""

    def __init__(self, loop: BackgroundLoop) -> None:
        self._loop = loop
        self._sandbox = SandboxRelay(clock=SystemClock())
        self.relay: Relay = loop.run(self._sandbox.start())
        app = FastAPI()
        app.include_router(sandbox_router(self._sandbox.store, clock=SystemClock()))
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
        self._serving = loop.run(self._serve())
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]

    async def _serve(self) -> asyncio.Task[None]:
        serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.005)
        return serving

    def close(self) -> None:
        """End both servers."""
        self._server.should_exit = True
        self._loop.run(asyncio.wait_for(self._serving, HANG))
        self._loop.run(self._sandbox.stop())

    def send(self, message: EmailMessage, *recipients: str) -> None:
        """Send `message` to the relay."""
        with smtplib.SMTP(self.relay.host, self.relay.port, timeout=HANG) as client:
            client.send_message(message, "alerts@example.org", recipients or ["ops@example.org"])

    def get(self, path: str, **headers: str) -> tuple[http.client.HTTPResponse, str]:
        """Return the response and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG)
        try:
            connection.request("GET", path, headers={name.replace("_", "-"): v for name, v in headers.items()})
            response = connection.getresponse()
            return response, response.read().decode()
        finally:
            connection.close()

    def json(self, path: str) -> Any:
        """Return the document at `path`."""
        return json.loads(self.get(path)[1])


@pytest.fixture
def site() -> Iterator[Site]:
    """A running sandbox."""
    with BackgroundLoop() as loop:
        running = Site(loop)
        yield running
        running.close()


def message(subject: str = "backup failed", html: str = "") -> EmailMessage:
    """Return a mail, with an HTML part if `html` is given."""
    made = EmailMessage()
    made["Subject"] = subject
    made["From"] = "Mail Alert System <alerts@example.org>"
    made["To"] = "Ops <ops@example.org>"
    made["Message-ID"] = "<1@example.org>"
    made.set_content("exit status 1\n")
    if html:
        made.add_alternative(html, subtype="html")
    return made


def test_the_relay_is_a_loopback_one(site: Site) -> None:
    """The daemon's sender gets all it needs to use it."""
    assert (site.relay.name, str(site.relay)) == ("sandbox", f"smtp://127.0.0.1:{site.relay.port}")


def test_mails_are_listed_newest_first(site: Site) -> None:
    """The JSON list tells who wrote to whom about what, by the envelope."""
    site.send(message("one"))
    site.send(message("two – ☺"), "ops@example.org", "dba@example.org")
    listed = site.json("/sandbox/mails")
    assert listed["received"] == 2
    newest, oldest = listed["mails"]
    assert (newest["id"], newest["subject"], oldest["subject"]) == (2, "two – ☺", "one")
    assert (newest["from"], newest["to"]) == ("alerts@example.org", ["ops@example.org", "dba@example.org"])
    assert newest["message_id"] == "<1@example.org>"
    assert newest["size"] > 100
    assert newest["received_at"].endswith("Z")


def test_a_mail_is_shown_in_full(site: Site) -> None:
    """The JSON detail holds text, HTML, headers and source."""
    site.send(message(html="<p>failed</p>"))
    mail = site.json("/sandbox/mails/1")
    assert (mail["text"], mail["html"]) == ("exit status 1\n", "<p>failed</p>\n")
    assert {"name": "Subject", "value": "backup failed"} in mail["headers"]
    assert mail["source"].startswith("Subject: backup failed\n")


def test_the_source_is_byte_for_byte(site: Site) -> None:
    """It can be saved, and fed to other tools."""
    site.send(message())
    response, source = site.get("/sandbox/mails/1/source")
    assert source.startswith("Subject: backup failed\r\n")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'inline; filename="sandbox-mail-1.eml"'


@pytest.mark.parametrize("path", ["/sandbox/mails/9", "/sandbox/mails/9/source", "/sandbox/mails/9/html"])
def test_a_mail_that_is_gone_is_a_problem_document(site: Site, path: str) -> None:
    """404 says why (RFC 9457)."""
    response, body = site.get(path)
    assert (response.status, response.headers["Content-Type"]) == (404, "application/problem+json")
    assert "only the newest are kept" in body


def test_the_empty_page_says_what_to_try(site: Site) -> None:
    """It shows a curl line with the address that the browser used."""
    _, page = site.get("/sandbox", Host="localhost:8825")
    assert "curl -d 'backup failed' http://localhost:8825/alerts" in page


def test_a_forged_host_never_gets_into_the_command(site: Site) -> None:
    """Nobody is made to paste a command of a stranger."""
    _, page = site.get("/sandbox", Host="x;rm -rf ~")
    assert "rm -rf" not in page
    assert "http://127.0.0.1:8825/alerts" in page


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("", "<iframe title="),
        ("html", '<iframe title="The mail as HTML" sandbox src="/sandbox/mails/1/html"'),
        ("text", "exit status 1"),
        ("headers", "&lt;1@example.org&gt;"),
        ("source", "Content-Type: multipart/alternative"),
        ("nonsense", "<iframe title="),
    ],
)
def test_every_view_has_an_address(site: Site, view: str, shown: str) -> None:
    """Text, HTML, headers and source are reached without a script."""
    site.send(message(html="<p>failed</p>"))
    response, page = site.get(f"/sandbox?mail=1&view={view}")
    assert response.status == 200
    assert shown in page


def test_a_mail_without_html_is_shown_as_text(site: Site) -> None:
    """The view of choice is one that the mail has."""
    site.send(message())
    _, page = site.get("/sandbox?mail=1&view=html")
    assert "exit status 1" in page
    assert "<iframe" not in page


@pytest.mark.parametrize("view", ["html", "text", "headers", "source"])
def test_what_a_mail_says_is_escaped(site: Site, view: str) -> None:
    """No mail gets a script into the page, whichever view shows it."""
    site.send(message(EVIL, html=EVIL))
    _, page = site.get(f"/sandbox?mail=1&view={view}")
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_the_page_of_a_mail_that_is_gone_says_so(site: Site) -> None:
    """404, with the way back to the list."""
    response, page = site.get("/sandbox?mail=9")
    assert response.status == 404
    assert "This mail is gone" in page


@pytest.mark.parametrize(
    "path", ["/sandbox", "/sandbox/mails", "/sandbox/mails/1", "/sandbox/mails/1/source", "/sandbox/mails/9"]
)
def test_every_answer_forbids_what_it_does_not_need(site: Site, path: str) -> None:
    """No foreign content, no inline script, no framing, no sniffing, no referrer, no cache."""
    site.send(message())
    headers = site.get(path)[0].headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")


def test_a_mails_html_is_isolated(site: Site) -> None:
    """Its own origin, no script, nothing fetched, framed by this page alone; also when it is opened by itself."""
    site.send(message(html=EVIL))
    response, html = site.get("/sandbox/mails/1/html")
    policy = response.headers["Content-Security-Policy"]
    assert EVIL in html
    assert policy.startswith("sandbox; default-src 'none';")
    assert "allow-" not in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_an_unchanged_page_is_not_sent_again(site: Site) -> None:
    """The page asks every two seconds; it gets 304 until a mail has come in."""
    etag = site.get("/sandbox")[0].headers["ETag"]
    assert site.get("/sandbox", If_None_Match=etag)[0].status == 304
    site.send(message())
    assert site.get("/sandbox", If_None_Match=etag)[0].status == 200


@pytest.mark.parametrize(("name", "media_type"), [("sandbox.css", "text/css"), ("sandbox.js", "text/javascript")])
def test_the_pages_files_are_served(site: Site, name: str, media_type: str) -> None:
    """The page brings all that it needs; nothing comes from elsewhere."""
    response, _ = site.get(f"/sandbox/static/{name}")
    assert response.headers["Content-Type"] == f"{media_type}; charset=utf-8"


@pytest.mark.parametrize("name", ["page.html.j2", "..%2Fpages.py", "%2Fetc%2Fpasswd"])
def test_no_other_file_is_served(site: Site, name: str) -> None:
    """Names are looked up, never joined to a path."""
    assert site.get(f"/sandbox/static/{name}")[0].status == 404
