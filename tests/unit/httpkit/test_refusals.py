"""The log of refusals."""

from datetime import timedelta

from structlog.testing import capture_logs

from app.httpkit.limits import Scope
from app.httpkit.refusals import MAX_LINES, RefusalLog
from tests.support.asgi_calls import http_scope
from tests.support.clock import FakeClock


def request_from(address: str, path: str = "/alerts") -> Scope:
    return {**http_scope("GET", path), "client": (address, 40_000)}


def test_a_refusal_is_told_with_its_address() -> None:
    """The line says who asked for what, without the query string."""
    with capture_logs() as logs:
        RefusalLog(FakeClock()).note(request_from("192.0.2.1"), 401)
    (line,) = logs
    assert line == {
        "event": "request_refused",
        "log_level": "warning",
        "status": 401,
        "method": "GET",
        "path": "/alerts",
        "client": "192.0.2.1",
    }


def test_an_address_that_is_refused_again_and_again_is_told_of_once() -> None:
    """A stranger cannot fill the disk: after ten lines one more says that the rest of the minute is left out."""
    log = RefusalLog(FakeClock())
    with capture_logs() as logs:
        for _ in range(1000):
            log.note(request_from("192.0.2.1"), 401)
    assert [line["event"] for line in logs] == ["request_refused"] * MAX_LINES + ["refusals_not_logged"]


def test_others_and_the_next_minute_are_told_again() -> None:
    """The silence is for one address and one minute."""
    clock = FakeClock()
    log = RefusalLog(clock)
    for _ in range(MAX_LINES + 1):
        log.note(request_from("192.0.2.1"), 401)
    with capture_logs() as logs:
        log.note(request_from("192.0.2.2"), 401)
        clock.pass_time(timedelta(minutes=1))
        log.note(request_from("192.0.2.1"), 401)
    assert [line["client"] for line in logs] == ["192.0.2.2", "192.0.2.1"]


def test_a_long_path_is_cut() -> None:
    """One line stays one line of bearable length."""
    with capture_logs() as logs:
        RefusalLog(FakeClock()).note(request_from("192.0.2.1", "/" + "x" * 10_000), 401)
    assert len(logs[0]["path"]) == 200


def test_a_request_without_an_address_is_told_too() -> None:
    """A server on a socket of the file system knows no address."""
    with capture_logs() as logs:
        RefusalLog(FakeClock()).note(http_scope("GET", "/"), 401)
    assert logs[0]["client"] == ""
