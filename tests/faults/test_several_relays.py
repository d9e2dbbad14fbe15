"""Several relays: one that fails is left at once, and the first is used again when it is back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.background import BackgroundLoop
from tests.support.fault_run import FaultRun
from tests.support.ports import free_port
from tests.support.scripted_smtp import ScriptedSmtp, StoredMail
from tests.support.smtp_actions import Drop, Script
from tests.support.waiting import until

MAILS = 30


@contextmanager
def running(*relays: ScriptedSmtp) -> Iterator[BackgroundLoop]:
    """Run the relays until the block ends."""
    with BackgroundLoop() as loop:
        for relay in relays:
            loop.run(relay.start())
        yield loop
        for relay in relays:
            loop.run(relay.stop())


def several(folder: Path, *relays: dict[str, Any], **settings: object) -> FaultRun:
    """Return a run over these relays, called a, b, …"""
    tables = [{"name": name, **relay} for name, relay in zip("abc", relays, strict=False)]
    run = FaultRun(folder, 0, relays=json.dumps(tables), **settings)
    run.daemon.without("relay")
    return run


def at(relay: ScriptedSmtp, **more: object) -> dict[str, Any]:
    """Return the table of a relay on this machine."""
    return {"url": f"smtp://127.0.0.1:{relay.port}", **more}


def senders_of(run: FaultRun) -> set[str]:
    """Return over which relays the mails left."""
    return {event["relay"] for event in run.daemon.events("mail_sent")}


FAULTS: dict[str, dict[str, Script]] = {
    "greeting-554": {"GREETING": "554 go away"},
    "421-to-mail": {"MAIL": "421 closing"},
    "451-to-every-mail": {"MAIL": "451 4.3.0 later"},
    "drops-in-content": {"BODY": Drop()},
    "535": {"AUTH": "535 5.7.8 no"},
}


@pytest.mark.parametrize("script", FAULTS.values(), ids=FAULTS.keys())
def test_the_next_relay_takes_over(tmp_path: Path, script: dict[str, Script]) -> None:
    """Whatever is wrong with the first relay, the mails leave over the second, each once."""
    broken = ScriptedSmtp(capabilities=["PIPELINING", "AUTH PLAIN"], **script)
    sound = ScriptedSmtp()
    with running(broken, sound):
        first = at(broken, url=f"smtp://user:pass@127.0.0.1:{broken.port}") if "AUTH" in script else at(broken)
        with several(tmp_path, first, at(sound, priority=2)) as run:
            run.post_many(MAILS)
            run.settle()
            assert run.close(both(broken, sound)).delivered == MAILS
            assert senders_of(run) == {"b"}


def test_the_first_relay_is_used_again(tmp_path: Path) -> None:
    """While it is down the second sends; once a probe has found it back, the second stands by."""
    first, second = ScriptedSmtp(port=free_port()), ScriptedSmtp()
    with running(second) as loop:
        with several(tmp_path, at(first), at(second, priority=2)) as run:
            run.post_many(MAILS)
            run.settle()
            assert (len(first.mails), len(second.mails)) == (0, MAILS)
            loop.run(first.start())
            run.daemon.wait_for_event("relay_recovered")
            run.post_many(MAILS)
            run.settle()
            assert (len(first.mails), len(second.mails)) == (MAILS, MAILS)
            assert run.close(both(first, second)).delivered == 2 * MAILS
        loop.run(first.stop())


def test_equals_take_turns(tmp_path: Path) -> None:
    """Two relays of one priority share the mails, one by one as well as in bulk."""
    one, other = ScriptedSmtp(), ScriptedSmtp()
    with running(one, other), several(tmp_path, at(one), at(other)) as run:
        for _ in range(10):
            run.post()
            run.settle()
        assert abs(len(one.mails) - len(other.mails)) <= 2
        assert run.close(both(one, other)).delivered == 10


def test_a_relay_that_falls_silent_behind_the_dot(tmp_path: Path) -> None:
    """Its mails may have been taken, so they wait and are flagged; all others leave over the next relay."""
    silent, sound = ScriptedSmtp(DOT=Drop()), ScriptedSmtp()
    with running(silent, sound), several(tmp_path, at(silent, connections=1), at(sound, priority=2)) as run:
        run.post_many(MAILS)
        until(lambda: len(sound.mails) >= MAILS - 10, why=lambda: run.daemon.lines[-5:])
        run.settle()
        balance = run.close(both(silent, sound))
        assert balance.delivered == MAILS
        assert balance.flagged >= 5


def both(*relays: ScriptedSmtp) -> list[StoredMail]:
    """Return what the relays have stored."""
    return [mail for relay in relays for mail in relay.mails]
