"""One mail over one relay that is named: whatever the relay does is told, and nothing is left open."""

import asyncio
from datetime import timedelta

import pytest

from app.delivery.direct import TOO_LATE, DirectSender
from app.delivery.opening import Timeouts
from app.domain.login import Login
from app.domain.outcome import Deferred, Outcome, Refused, Scope, Sent
from app.protocols.smtp.transaction import OutgoingMail
from tests.support.scripted_sending import approach_to
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.smtp_actions import Action, Drop, Wait

MAIL = OutgoingMail("alerts@example.org", ("a@example.org", "b@example.org"), b"Subject: x\r\n\r\nhi\r\n", "0A1")
SOON = timedelta(seconds=0.5)


def sender_to(server: ScriptedSmtp, *, patience: timedelta = timedelta(seconds=20), **of: Login) -> DirectSender:
    """Return a sender to this relay alone, which would wait longer by itself."""
    return DirectSender([approach_to(server, timeouts=Timeouts(quit_s=0.3), **of)], patience=patience)


async def until_closed(server: ScriptedSmtp) -> None:
    """Wait until the server has no connection any more."""
    async with asyncio.timeout(20):
        while server.open_connections:
            await asyncio.sleep(0.01)


async def test_a_mail_goes_over_the_relay_that_is_named() -> None:
    """In a session of its own, and by no other relay."""
    async with ScriptedSmtp(capabilities=("PIPELINING", "DSN")) as first, ScriptedSmtp() as second:
        sender = DirectSender([approach_to(first, name="mx1"), approach_to(second, name="mx2")])
        outcomes = await sender.send("mx1", MAIL)
        await until_closed(first)
    assert sender.relays == ("mx1", "mx2")
    assert [type(outcome) for outcome in outcomes] == [Sent, Sent]
    assert [(mail.sender, mail.recipients, mail.data) for mail in first.mails] == [
        (MAIL.sender, MAIL.recipients, MAIL.data)
    ]
    assert "ENVID=0A1" in first.mails[0].mail_line
    assert (first.commands[-1], second.connections) == ("QUIT", 0)


async def test_each_recipient_has_his_outcome() -> None:
    """In the order of the mail."""
    async with ScriptedSmtp(RCPT=["250 ok", "550 5.1.1 no such user"]) as server:
        outcomes = await sender_to(server).send("mx", MAIL)
    assert [type(outcome) for outcome in outcomes] == [Sent, Refused]


async def test_a_relay_that_does_not_bear_what_it_announces_gets_the_mail() -> None:
    """Nobody counts here how often it has failed before."""
    async with ScriptedSmtp(forgets_pipelined=True) as server:
        outcomes = await sender_to(server).send("mx", MAIL)
    assert [type(outcome) for outcome in outcomes] == [Sent, Sent]


FAULTS: dict[str, tuple[str, Action, Scope]] = {
    "turns us away": ("GREETING", "421 4.3.2 too busy", Scope.RELAY),
    "hangs up": ("GREETING", Drop(), Scope.RELAY),
    "refuses the password": ("AUTH", "535 5.7.8 no", Scope.CONFIGURATION),
    "breaks off at the sender": ("MAIL", Drop(), Scope.RELAY),
    "makes no sense": ("MAIL", b"no reply at all\r\n", Scope.RELAY),
    "puts the mail off": ("DOT", "451 4.3.0 later", Scope.MESSAGE),
    "breaks off behind the content": ("DOT", Drop(), Scope.MESSAGE),
}


@pytest.mark.parametrize(("step", "action", "scope"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_of_the_relay_is_an_outcome(step: str, action: Action, scope: Scope) -> None:
    """It is told for each recipient, and nothing is raised."""
    capabilities = ("AUTH PLAIN",) if step == "AUTH" else ()
    login = {"login": Login("ops", "s3cret")} if step == "AUTH" else {}
    async with ScriptedSmtp(capabilities=capabilities, **{step: action}) as server:
        outcomes = await sender_to(server, **login).send("mx", MAIL)
        await until_closed(server)
    assert [(type(outcome), getattr(outcome, "scope", None)) for outcome in outcomes] == [(Deferred, scope)] * 2


async def test_a_relay_that_is_not_there_is_an_outcome() -> None:
    """Nothing listens at its port."""
    async with ScriptedSmtp() as server:
        sender = sender_to(server)
    outcomes = await sender.send("mx", MAIL)
    assert {getattr(outcome, "scope", None) for outcome in outcomes} == {Scope.RELAY}


@pytest.mark.parametrize("step", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "DOT", "QUIT"])
async def test_a_relay_that_falls_silent_is_left_when_time_is_up(step: str) -> None:
    """At whatever step, and the session is closed; a mail past its final dot may have been taken."""
    silent = Wait("250 ok")
    async with ScriptedSmtp(**{step: silent}) as server:
        async with asyncio.timeout(20):
            outcomes = await sender_to(server, patience=SOON).send("mx", MAIL)
        silent.event.set()  # it looks again, and finds nobody
        await until_closed(server)
    ambiguous: dict[str, tuple[Scope, str, bool]] = {
        "DOT": (Scope.MESSAGE, f"{TOO_LATE}; it may have taken the mail", True)
    }
    expected = ambiguous.get(step, (Scope.RELAY, TOO_LATE, False))
    assert [_told(outcome) for outcome in outcomes] == [None if step == "QUIT" else expected] * 2


def _told(outcome: Outcome) -> tuple[Scope, str, bool] | None:
    return (outcome.scope, outcome.reason, outcome.ambiguous) if isinstance(outcome, Deferred) else None


async def test_a_sender_that_is_stopped_leaves_nothing_open() -> None:
    """The daemon does not wait at its end for a relay that thinks."""
    silent = Wait("250 ok")
    async with ScriptedSmtp(DOT=silent) as server:
        sending = asyncio.create_task(sender_to(server).send("mx", MAIL))
        await silent.reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        silent.event.set()
        await until_closed(server)
