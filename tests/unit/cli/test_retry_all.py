"""`mailalert queue retry --all` goes through all dead letters, however many there are."""

from typing import Any

import pytest

from app.cli.client import Daemon
from app.cli.queue import retry_all
from app.domain.ids import format_id


class ManyDeadLetters(Daemon):
    """A daemon with 1,200 of them, whose ids are 1 to 1200; it retries 500 at once."""

    def get(self, path: str, *, wants: str) -> dict[str, Any]:
        return {wants: [{"id": format_id(1200)}]}

    def post(self, path: str, body: dict[str, Any] | None = None, *, wants: str) -> dict[str, Any]:
        steps = {
            "/dead-letters/retry?limit=500": {"retried": 500, "next": format_id(500)},
            f"/dead-letters/retry?limit=500&cursor={format_id(500)}": {"retried": 500, "next": format_id(1000)},
            f"/dead-letters/retry?limit=500&cursor={format_id(1000)}": {"retried": 200, "next": None},
        }
        return steps[path]


class NoDeadLetters(ManyDeadLetters):
    """A daemon with none."""

    def get(self, path: str, *, wants: str) -> dict[str, Any]:
        return {wants: []}

    def post(self, path: str, body: dict[str, Any] | None = None, *, wants: str) -> dict[str, Any]:
        return {"retried": 0, "next": None}


@pytest.mark.parametrize(("daemon", "retried"), [(ManyDeadLetters, 1200), (NoDeadLetters, 0)], ids=["many", "none"])
def test_every_step_is_taken_once(daemon: type[Daemon], retried: int, capsys: pytest.CaptureFixture[str]) -> None:
    """From cursor to cursor until there is none, and the sum is told."""
    retry_all(daemon("http://h"))
    assert capsys.readouterr().out == f"{retried} are queued again\n"
