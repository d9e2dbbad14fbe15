"""Which scope opens what."""

import pytest

from app.domain.access import Scope
from app.httpkit.scopes import is_for_intake, needed_scope, posts_alerts


@pytest.mark.parametrize(
    ("request_line", "needed"),
    [
        ("POST /alerts", Scope.SEND),
        ("PUT /alerts", Scope.SEND),
        ("POST /alerts/grafana", Scope.SEND),
        ("GET /heartbeats/backup", Scope.SEND),
        ("HEAD /heartbeats/backup/start", Scope.SEND),
        ("POST /heartbeats/backup/3", Scope.SEND),
        ("GET /alerts", Scope.READ),
        ("HEAD /alerts/7", Scope.READ),
        ("GET /heartbeats", Scope.READ),
        ("GET /heartbeats/", Scope.READ),
        ("GET /healthz", Scope.READ),
        ("GET /openapi.json", Scope.READ),
        ("OPTIONS /alerts", Scope.READ),
        ("DELETE /heartbeats/backup", Scope.MANAGE),
        ("PUT /heartbeats/backup", Scope.MANAGE),
        ("POST /dead-letters/7/retry", Scope.MANAGE),
        ("DELETE /dead-letters/7", Scope.MANAGE),
        ("DELETE /alerts", Scope.MANAGE),
        ("POST /alerts/7/ack", Scope.MANAGE),
        ("DELETE /alerts/7/ack", Scope.MANAGE),
        ("POST /alerts/ack", Scope.SEND),
        ("GET /set-aside", Scope.READ),
        ("DELETE /set-aside/ops@example.org", Scope.MANAGE),
        ("POST /alertsandmore", Scope.MANAGE),
        ("POST /", Scope.MANAGE),
        ("INVENTED /nowhere", Scope.MANAGE),
    ],
)
def test_each_request_needs_its_scope(request_line: str, needed: Scope) -> None:
    """Posts and pings send, looking reads, and all else that may change something manages."""
    method, path = request_line.split()
    assert needed_scope(method, path) is needed


@pytest.mark.parametrize(
    "request_line", ["GET /alerts", "POST /heartbeats/x", "POST /alerts2", "POST /dead-letters", "POST /alerts/7/ack"]
)
def test_only_posts_of_alerts_can_be_signed(request_line: str) -> None:
    """A signature is proof of a body, which is read at this one place."""
    method, path = request_line.split()
    assert not posts_alerts(method, path)


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("POST /alerts", True),
        ("PUT /alerts/grafana", True),
        ("DELETE /alerts", True),
        ("OPTIONS /alerts/7", True),
        ("GET /alerts", False),
        ("HEAD /alerts/7", False),
        ("POST /alerts2", False),
        ("POST /alerts/ack", True),
        ("POST /alerts/7/ack", False),
        ("DELETE /alerts/7/ack", False),
        ("POST /heartbeats/x", False),
    ],
)
def test_the_intake_answers_all_but_looking(request_line: str, *, expected: bool) -> None:
    """A wrong method at this address is told which ones there are."""
    method, path = request_line.split()
    assert is_for_intake(method, path) is expected
