"""The OpenAPI document is true: schemathesis makes requests from it, and checks every answer against it."""

import subprocess
import sys
from pathlib import Path

from tests.support.daemon import Daemon, mail_settings
from tests.support.ports import free_port

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
OPTIONS = (
    f"--checks={CHECKS}",
    "--max-examples=25",
    "--generation-deterministic",
    "--phases=examples,coverage,fuzzing",
    "--no-color",
    "--warnings=off",
    "--continue-on-failure",
)
HANG = 110  # seconds


def test_no_answer_is_a_fault_or_undocumented(tmp_path: Path) -> None:
    """Right and wrong requests to every operation: no 5xx, and no status, type or shape that the document lacks."""
    with Daemon(tmp_path / "var", **mail_settings(free_port())) as daemon:
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
