"""`/heartbeats`: pings by every method and path, what is known of them, and what is refused."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI

from app.domain.errors import JournalUnavailable
from app.domain.heartbeat import PulseState
from app.domain.heartbeat_schedule import Cron, Every
from app.domain.ping import MAX_OUTPUT
from app.httpkit.limits import ClientDisconnected
from app.pipeline import heartbeats as desks
from app.pipeline.heartbeats import HeartbeatDesk
from app.web import heartbeat_requests
from app.web.errors import answer_errors_as_problems
from app.web.heartbeats import heartbeats_router
from tests.support.asgi_calls import Exchange, body_messages, http_scope
from tests.support.heartbeat_bench import BACKUP, DAY, HOUR, MINUTE, HeartbeatBench, the_record


@dataclass(frozen=True, slots=True)
class HeartbeatSite:
    """The routes over a desk that knows the backup."""

    bench: HeartbeatBench
    desk: HeartbeatDesk
    app: FastAPI

    async def call(self, method: str, target: str, *pieces: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer to a request whose body comes in these pieces."""
        return await self.exchange(method, target, body_messages(*(pieces or (b"",))))

    async def exchange(self, method: str, target: str, messages: Sequence[Any]) -> tuple[int, bytes]:
        """Return the answer to these messages."""
        path, _, query = target.partition("?")
        scope = http_scope(method, path) | {"query_string": query.encode()}
        exchange = Exchange(list(messages))
        await self.app(scope, exchange.receive, exchange.send)
        return exchange.status, b"".join(message.get("body", b"") for message in exchange.sent[1:])

    @property
    def state(self) -> PulseState:
        """How the backup is."""
        return the_record(self.desk).pulse.state


@pytest.fixture
async def site() -> HeartbeatSite:
    """A site whose settings name the backup."""
    bench = HeartbeatBench()
    desk = await bench.start(BACKUP)
    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(heartbeats_router(desk))
    answer_errors_as_problems(app)
    return HeartbeatSite(bench, desk, app)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    ("path", "state", "exit_code"),
    [
        ("", PulseState.UP, None),
        ("/start", PulseState.NEW, None),
        ("/fail", PulseState.FAILED, None),
        ("/0", PulseState.UP, 0),
        ("/3", PulseState.FAILED, 3),
        ("/255", PulseState.FAILED, 255),
    ],
)
async def test_every_way_to_ping_is_a_ping(
    site: HeartbeatSite, method: str, path: str, state: PulseState, exit_code: int | None
) -> None:
    """Cron jobs have curl, wget, or something older; what they send beside is ignored."""
    status, body = await site.call(method, f"/heartbeats/backup{path}?rid=4711")
    assert (status, body) == (200, b"OK")
    assert (site.state, the_record(site.desk).pulse.exit_code) == (state, exit_code)


@pytest.mark.parametrize(
    ("query", "schedule", "grace"),
    [
        ("period=1d", Every(DAY), HOUR),
        ("period=90s&grace=1m", Every(1.5 * MINUTE), MINUTE),
        ("cron=0+3+*+*+*&tz=Europe/Berlin", Cron("0 3 * * *", "Europe/Berlin"), HOUR),
        ("cron=0%203%20*%20*%20*", Cron("0 3 * * *"), HOUR),
    ],
    ids=["period", "grace", "cron with its zone", "cron"],
)
async def test_the_first_ping_says_when_the_next_is_due(
    site: HeartbeatSite, query: str, schedule: Every | Cron, grace: Any
) -> None:
    """So that a job needs nobody to write settings for it."""
    assert (await site.call("GET", f"/heartbeats/rsync?{query}"))[0] == 200
    heartbeat = the_record(site.desk, "rsync").heartbeat
    assert (heartbeat.schedule, heartbeat.grace) == (schedule, grace)


WRONG = {
    "no period": ("/rsync", 404, "?period=1d&grace=1h"),
    "a bad period": ("/rsync?period=1x", 422, "/query/period is no duration"),
    "a period of nothing": ("/rsync?period=0s", 422, "must be 1s to 366d"),
    "a bad grace": ("/backup?grace=soon", 422, "/query/grace is no duration"),
    "bad cron": ("/rsync?cron=often", 422, "/query/cron is no cron expression"),
    "a bad zone": ("/rsync?cron=0+3+*+*+*&tz=Mars", 422, "is no time zone"),
    "both": ("/rsync?period=1d&cron=0+3+*+*+*", 422, "keep one of them"),
    "a zone of nothing": ("/rsync?period=1d&tz=UTC", 422, "/query/tz"),
    "a bad name": ("/a b?period=1d", 422, "/path/name"),
    "a long name": (f"/{'a' * 65}?period=1d", 422, "/path/name"),
    "no signal": ("/backup/stop", 422, "/path/signal"),
    "no exit code": ("/backup/256", 422, "/path/signal"),
}


@pytest.mark.parametrize(("target", "code", "reason"), WRONG.values(), ids=WRONG.keys())
async def test_what_is_wrong_is_said(site: HeartbeatSite, target: str, code: int, reason: str) -> None:
    """With the remedy, and nothing is made of it."""
    status, body = await site.call("GET", f"/heartbeats{target}")
    assert (status, json.loads(body)["status"]) == (code, code)
    assert reason in json.loads(body)["detail"]
    assert [record.heartbeat.name for record in site.desk.records()] == ["backup"]


async def test_too_many_are_refused(site: HeartbeatSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer says how to make room."""
    monkeypatch.setattr(desks, "MAX_AD_HOC", 0)
    status, body = await site.call("GET", "/heartbeats/rsync?period=1d")
    assert status == 409
    assert "DELETE /heartbeats/NAME" in json.loads(body)["detail"]


async def test_trouble_with_the_journal_is_told(site: HeartbeatSite) -> None:
    """The job can ping again."""
    site.bench.journal.fault = JournalUnavailable("disk full")
    assert (await site.call("GET", "/heartbeats/backup"))[0] == 503


async def test_of_an_output_the_end_is_kept(site: HeartbeatSite) -> None:
    """However long it is, and in however many pieces it comes."""
    await site.call("POST", "/heartbeats/backup", *[b"0123456789" * 1000] * 40, b"the end")
    output = await site.bench.journal.heartbeat_output("backup")
    assert (len(output), output[-17:]) == (MAX_OUTPUT, b"0123456789the end")


async def test_an_output_without_end_is_refused(site: HeartbeatSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would hold its connection for ever."""
    monkeypatch.setattr(heartbeat_requests, "MAX_BODY", 100)
    status, body = await site.call("POST", "/heartbeats/backup", b"x" * 60, b"x" * 60)
    assert (status, json.loads(body)["title"]) == (413, "Content Too Large")
    assert site.state is PulseState.NEW


async def test_a_ping_that_breaks_off_is_none(site: HeartbeatSite) -> None:
    """A client that goes away in the middle has not said what it wanted to."""
    beginning = {"type": "http.request", "body": b"half", "more_body": True}
    with pytest.raises(ClientDisconnected):
        await site.exchange("POST", "/heartbeats/backup", [beginning, {"type": "http.disconnect"}])
    assert site.state is PulseState.NEW


async def test_the_list_tells_what_is_known(site: HeartbeatSite) -> None:
    """By name, with when the next ping is due and when people are told."""
    await site.call("GET", "/heartbeats/backup/start")
    await site.call("POST", "/heartbeats/zeta/3?cron=0+3+*+*+*", b"no")
    status, body = await site.call("GET", "/heartbeats")
    backup, zeta = json.loads(body)["heartbeats"]
    assert status == 200
    assert backup == {
        "name": "backup",
        "state": "new",
        "period": "1d",
        "cron": None,
        "timezone": None,
        "grace": "1h",
        "severity": "error",
        "receiver": "",
        "in_settings": True,
        "since": "2026-03-04T05:06:07.890Z",
        "last_ping_at": None,
        "due_at": "2026-03-05T05:06:07.890Z",
        "overdue_at": "2026-03-04T06:06:07.890Z",
        "started_at": "2026-03-04T05:06:07.890Z",
        "last_run_seconds": None,
        "exit_code": None,
        "down_since": None,
        "failures": 0,
        "output_bytes": 0,
    }
    told = ("name", "state", "cron", "timezone", "in_settings", "due_at", "overdue_at", "exit_code", "output_bytes")
    assert [zeta[name] for name in told] == [
        "zeta", "failed", "0 3 * * *", "UTC", False, "2026-03-05T03:00:00.000Z", None, 3, 2,
    ]  # fmt: skip


async def test_one_that_a_ping_has_made_can_be_removed(site: HeartbeatSite) -> None:
    """Once; one of the settings cannot."""
    await site.call("GET", "/heartbeats/rsync?period=1d")
    codes = [(await site.call("DELETE", f"/heartbeats/{name}"))[0] for name in ("rsync", "rsync", "backup")]
    assert codes == [204, 404, 409]


async def test_a_removal_that_the_journal_cannot_keep_is_told(
    site: HeartbeatSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heartbeat is still there then."""
    await site.call("GET", "/heartbeats/rsync?period=1d")

    async def forget(name: str) -> None:
        raise JournalUnavailable("disk full")

    monkeypatch.setattr(site.bench.journal, "forget_heartbeat", forget)
    assert (await site.call("DELETE", "/heartbeats/rsync"))[0] == 503
    assert len(site.desk.records()) == 2


async def test_the_document_describes_every_route(site: HeartbeatSite) -> None:
    """Each with an id of its own and all answers that it can give."""
    paths = site.app.openapi()["paths"]
    operations = {
        (method, path): operation
        for path, methods in paths.items()
        for method, operation in methods.items()
        if path.startswith("/heartbeats")
    }
    assert len(operations) == len({operation["operationId"] for operation in operations.values()}) == 8
    ping = operations["post", "/heartbeats/{name}/{signal}"]
    assert set(ping["responses"]) == {"200", "403", "404", "409", "413", "422", "503"}
    assert {parameter["name"] for parameter in ping["parameters"]} == {
        "name", "signal", "period", "grace", "cron", "tz",
    }  # fmt: skip


async def test_the_answer_tells_whether_an_alert_was_raised(site: HeartbeatSite) -> None:
    """Of failures in a row the first alone; `mailalert run` tells of the others."""
    answers = []
    for _ in range(2):
        exchange = Exchange([*body_messages(b"")])
        await site.app(http_scope("POST", "/heartbeats/backup/1"), exchange.receive, exchange.send)
        answers.append(dict(exchange.sent[0]["headers"])[b"alert-raised"])
    assert answers == [b"yes", b"no"]
