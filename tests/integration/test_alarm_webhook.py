"""Alarms and signs of life over HTTP, to real sockets."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
import structlog.testing

from app.alarms import ping
from app.alarms.http_client import call
from app.alarms.ping import Pinger
from app.alarms.webhook import Webhook
from app.domain.alarm import Alarm
from app.domain.errors import AlarmNotSent
from tests.support.alarms import an_alarm
from tests.support.certificates import Authority
from tests.support.http_receiver import HttpReceiver, http_receiver
from tests.support.ports import free_port

FLOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n" + b"x" * 100_000
NOT_TAKEN = {
    "an error": (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "the server answered 500"),
    "a redirect": (
        b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        "answered 302; redirects are not",
    ),
    "garbage": (b"\x00\xff\r\n\r\n", "cannot be reached: its answer is no HTTP"),
}


def cause_only(alarm: Alarm) -> bytes:
    """Return a short body."""
    return alarm.cause.encode()


async def test_the_alarm_is_posted_as_json() -> None:
    """Whole, to the very URL."""
    async with http_receiver() as receiver:
        await Webhook(receiver.url, body=lambda _: b'{"cause": "x"}').send(an_alarm())
    (request,) = receiver.received
    assert request.line == "POST /hook?key=s3cret HTTP/1.1"
    assert (request.headers["content-type"], request.json) == ("application/json", {"cause": "x"})


@pytest.mark.parametrize(("answer", "said"), NOT_TAKEN.values(), ids=NOT_TAKEN.keys())
async def test_what_is_not_taken_is_told(answer: bytes, said: str) -> None:
    """In words that leave the URL out, which is a secret."""
    async with http_receiver(answer) as receiver:
        with pytest.raises(AlarmNotSent, match=said) as fault:
            await Webhook(receiver.url, body=cause_only).send(an_alarm())
    assert "s3cret" not in str(fault.value)
    assert len(receiver.received) == 1


async def test_a_server_that_is_not_there_is_told() -> None:
    """The reason is the system's, without the URL."""
    with pytest.raises(AlarmNotSent, match="the server cannot be reached: All connection attempts failed") as fault:
        await Webhook(f"http://127.0.0.1:{free_port()}/s3cret", body=cause_only).send(an_alarm())
    assert "s3cret" not in str(fault.value)


async def test_a_server_that_never_answers_is_given_up() -> None:
    """The whole call has one deadline."""
    async with http_receiver(answer=None) as receiver:
        with pytest.raises(AlarmNotSent, match="does not answer within"):
            await call("GET", receiver.url, deadline=timedelta(seconds=0.1))


async def test_an_endless_answer_is_not_read() -> None:
    """The status is enough."""
    async with http_receiver(FLOOD) as receiver, asyncio.timeout(30):
        await Webhook(receiver.url, body=cause_only).send(an_alarm())
    assert len(receiver.received) == 1


async def test_a_certificate_that_is_not_trusted_gets_no_alarm(authority: Authority) -> None:
    """Whoever sits between must not read it."""
    async with http_receiver(tls=authority.server_context()) as receiver:
        with pytest.raises(AlarmNotSent, match="its certificate is refused: unable to get local issuer certificate"):
            await Webhook(receiver.url, body=cause_only).send(an_alarm())
    assert receiver.received == []


async def until(condition: Callable[[], bool]) -> None:
    """Return once it holds."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


class Patient:
    """Healthy or not, and asked every few milliseconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ping, "EVERY", timedelta(milliseconds=2))
        self.healthy = True
        self.asked = 0

    def is_healthy(self) -> bool:
        """Answer the pinger."""
        self.asked += 1
        return self.healthy

    async def pinged(self, receiver: HttpReceiver) -> None:
        """Return after one more ping."""
        before = len(receiver.received)
        await until(lambda: len(receiver.received) > before)


async def test_a_healthy_daemon_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """Again and again; while it is not healthy none at all, so that the watcher notices the silence."""
    patient = Patient(monkeypatch)
    async with http_receiver() as receiver:
        task = asyncio.create_task(Pinger(receiver.url, healthy=patient.is_healthy).run())
        await patient.pinged(receiver)
        assert receiver.received[0].line == "GET /hook?key=s3cret HTTP/1.1"
        patient.healthy = False
        asked = patient.asked
        await until(lambda: patient.asked > asked + 2)
        count = len(receiver.received)
        asked = patient.asked
        await until(lambda: patient.asked > asked + 5)
        assert len(receiver.received) == count
        patient.healthy = True
        await patient.pinged(receiver)
        task.cancel()
        await asyncio.wait([task])


async def test_a_watcher_that_fails_is_logged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line when it begins and one when it ends, not one a minute."""
    patient = Patient(monkeypatch)
    with structlog.testing.capture_logs() as lines:
        async with http_receiver(b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n") as receiver:
            task = asyncio.create_task(Pinger(receiver.url, healthy=patient.is_healthy).run())
            for _ in range(3):
                await patient.pinged(receiver)
            receiver.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            for _ in range(3):
                await patient.pinged(receiver)
            task.cancel()
            await asyncio.wait([task])
    assert [line["event"] for line in lines] == ["ping_failed", "ping_works"]
    assert lines[0]["reason"] == "the server answered 503"
