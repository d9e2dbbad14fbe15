"""The OpenAPI document is true: schemathesis makes requests from it, and checks every answer against it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.daemon import Daemon, mail_settings
from tests.support.ports import free_port

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
TOKEN = "a-token-for-the-test"
OPTIONS = (
    f"--header=Authorization: Bearer {TOKEN}",
    f"--checks={CHECKS}",
    "--max-examples=12",
    "--generation-deterministic",
    "--phases=examples,coverage,fuzzing",
    "--no-color",
    "--warnings=off",
    "--continue-on-failure",
)
HANG = 110  # seconds


@pytest.mark.parametrize("arguments", [(), ("--sandbox",)], ids=["live", "sandbox"])
def test_no_answer_is_a_fault_or_undocumented(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Right and wrong requests to every operation: no 5xx, and no status, type or shape that the document lacks."""
    settings = {} if arguments else mail_settings(free_port())
    with Daemon(tmp_path / "var", *arguments, **settings, http__token=TOKEN) as daemon:
        daemon.start()
        run = subprocess.run(
            [Path(sys.executable).with_name("st"), "run", f"http://127.0.0.1:{daemon.port}/openapi.json", *OPTIONS],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=HANG,
            check=False,
        )
        assert daemon.is_running
    assert run.returncode == 0, run.stdout[-20_000:]
    assert "No failures" in run.stdout or "passed" in run.stdout


def test_head_is_get_without_the_content(tmp_path: Path) -> None:
    """Watchers that probe by HEAD see what others see, and a 405 names every method of the path."""
    with Daemon(tmp_path / "var", **mail_settings(free_port())) as daemon:
        daemon.start()
        for path in ("/healthz", "/alerts", "/docs", "/openapi.json", "/dead-letters", "/heartbeats"):
            head, get = daemon.request("HEAD", path), daemon.get(path)
            assert (head.status, head.body) == (200, b""), path
            assert head.headers["content-type"] == get.headers["content-type"]
        assert daemon.request("HEAD", "/heartbeats/backup?period=1d").status == 200
        assert daemon.request("PATCH", "/dead-letters/retry").headers["allow"] == "POST, DELETE"


def test_the_page_of_the_docs_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    """All that the page loads is served by the daemon itself."""
    with Daemon(tmp_path / "var", **mail_settings(free_port())) as daemon:
        daemon.start()
        page = daemon.get("/docs")
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert b"://" not in page.body
        for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
            assert f"docs/{name}".encode() in page.body
            assert daemon.get(f"/docs/{name}").status == 200
