"""A connection over real sockets, towards a server that behaves, and one that does not."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import replace

import aiosmtplib
import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.delivery.connection import Connection, SendResult
from app.delivery.opening import DEFAULT_TIMEOUTS, Approach, RelayFault, Timeouts
from app.domain.login import Login
from app.domain.outcome import Deferred, Outcome, Refused, Scope, Sent
from app.domain.relay import Relay, Security
from app.net.logins import FixedLogin, NoLogin
from app.protocols.smtp.transaction import NEEDS_SMTPUTF8, OutgoingMail
from tests.support.scripted_sending import approach_to
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.smtp_actions import Action, Delay, Drop, Hang, Split, Wait

CONTENT = b"Subject: x\r\n\r\n.hidden\r\nhi\r\n"
MAIL = OutgoingMail("ops@example.org", ("a@example.org", "b@example.org"), CONTENT)
LARGE = OutgoingMail("ops@example.org", ("a@example.org",), b"x" * 70 + b"\r\n" + b"line\r\n" * 1_500_000)
SHORT = Timeouts(connect_s=5, command_s=0.2, block_s=0.2, final_dot_s=0.2, mail_s=5, quit_s=0.2)


async def _send(
    server: ScriptedSmtp, mail: OutgoingMail = MAIL, *, timeouts: Timeouts = DEFAULT_TIMEOUTS
) -> SendResult:
    return (await _send_and_look(server, mail, timeouts=timeouts))[0]


async def _send_and_look(
    server: ScriptedSmtp, mail: OutgoingMail = MAIL, *, timeouts: Timeouts = DEFAULT_TIMEOUTS
) -> tuple[SendResult, bool]:
    """Return what became of the mail, and whether the connection may take another one."""
    connection = await Connection.open(approach_to(server, timeouts=timeouts))
    attempt = await connection.send(mail)
    usable = connection.usable
    await connection.close()
    return attempt, usable


def _scopes(attempt: SendResult) -> list[tuple[type[Outcome], Scope | None]]:
    return [(type(outcome), getattr(outcome, "scope", None)) for outcome in attempt.outcomes]


async def test_mail_arrives_as_it_was_given() -> None:
    """Envelope and bytes reach the server unchanged, and QUIT ends the session."""
    async with ScriptedSmtp() as server:
        attempt = await _send(server)
    assert all(isinstance(outcome, Sent) for outcome in attempt.outcomes)
    [mail] = server.mails
    assert (mail.sender, mail.recipients, mail.data) == (MAIL.sender, MAIL.recipients, CONTENT)
    assert server.commands[-1] == "QUIT"


async def test_pipelining_saves_round_trips() -> None:
    """With PIPELINING a mail costs two round trips, however many recipients it has."""
    mail = OutgoingMail("ops@example.org", tuple(f"r{n}@example.org" for n in range(20)), CONTENT)
    async with ScriptedSmtp() as server:
        connection = await Connection.open(approach_to(server))
        before = server.round_trips
        await connection.send(mail)
        assert server.round_trips - before == 2
        await connection.close()


async def test_large_mail_arrives_whole() -> None:
    """A mail of many blocks arrives with every byte in place."""
    async with ScriptedSmtp(capabilities=()) as server:
        await _send(server, LARGE)
    assert server.mails[0].data == LARGE.data


async def test_connection_is_reused() -> None:
    """Several mails go over one connection."""
    async with ScriptedSmtp() as server:
        connection = await Connection.open(approach_to(server))
        for _ in range(3):
            await connection.send(MAIL)
            assert connection.usable
        await connection.close()
    assert (len(server.mails), server.connections) == (3, 1)


@pytest.mark.parametrize("capabilities", [("PIPELINING",), ()], ids=["pipelined", "stop-and-wait"])
async def test_reset_after_a_failed_mail(capabilities: tuple[str, ...]) -> None:
    """The mail after a failed one begins with RSET, and arrives."""
    async with ScriptedSmtp(capabilities=capabilities, DATA=["451 later"]) as server:
        connection = await Connection.open(approach_to(server))
        failed = await connection.send(MAIL)
        assert connection.usable
        assert (await connection.send(MAIL)).outcomes
        await connection.close()
    assert _scopes(failed)[0] == (Deferred, Scope.MESSAGE)
    assert "RSET" in server.commands
    assert len(server.mails) == 1


async def test_one_outcome_per_recipient() -> None:
    """A refused recipient does not stop the other."""
    async with ScriptedSmtp(RCPT=["550 5.1.1 no such user"]) as server:
        attempt = await _send(server)
    assert _scopes(attempt) == [(Refused, Scope.RECIPIENT), (Sent, None)]
    assert server.mails[0].recipients == ("b@example.org",)


@pytest.mark.parametrize(
    ("step", "action", "scope", "ambiguous"),
    [
        ("MAIL", Drop(), Scope.RELAY, False),
        ("RCPT", Drop(), Scope.RELAY, False),
        ("RCPT", "421 4.3.2 bye", Scope.RELAY, False),
        ("RCPT", b"\xff\x00nonsense\r\n", Scope.RELAY, False),
        ("RCPT", Hang(), Scope.RELAY, False),
        ("DATA", Drop(), Scope.RELAY, False),
        ("BODY", Drop(), Scope.RELAY, False),
        ("BODY", Hang(), Scope.RELAY, False),
        ("DOT", Drop(), Scope.MESSAGE, True),
        ("DOT", Hang(), Scope.MESSAGE, True),
        ("DOT", b"garbage\r\n", Scope.MESSAGE, True),
        ("DOT", b"250-taken\r\n" * 200, Scope.MESSAGE, True),
        ("DOT", Delay(0.5, "250 too late"), Scope.MESSAGE, True),
        ("DOT", "451 4.3.0 later", Scope.MESSAGE, False),
        ("DOT", "421 4.3.2 bye", Scope.RELAY, False),
    ],
    ids=["mail-drop", "rcpt-drop", "rcpt-421", "rcpt-garbage", "rcpt-hang", "data-drop", "body-drop", "body-hang",
         "dot-drop", "dot-hang", "dot-garbage", "dot-endless", "dot-late", "dot-4xx", "dot-421"],
)  # fmt: skip
async def test_misbehaviour(step: str, action: Action, scope: Scope, ambiguous: bool) -> None:
    """Whatever breaks, each recipient is deferred by the right scope; only past the final dot it is ambiguous."""
    mail = LARGE if step == "BODY" else MAIL
    async with ScriptedSmtp(**{step: [action]}) as server:
        attempt, usable = await _send_and_look(server, mail, timeouts=SHORT)
    assert {type(outcome) for outcome in attempt.outcomes} == {Deferred}
    seen = {(outcome.scope, outcome.ambiguous) for outcome in attempt.outcomes if isinstance(outcome, Deferred)}
    assert seen == {(scope, ambiguous)}
    assert not attempt.stale
    assert usable is (action == "451 4.3.0 later")


@pytest.mark.parametrize("first", [Split("250 2.1.5 slow"), "250-a\r\n250 b"], ids=["split", "multi-line"])
async def test_odd_but_right_replies(first: Action) -> None:
    """Split and multi-line replies are understood."""
    async with ScriptedSmtp(RCPT=[first], DOT=[Split("250 2.0.0 taken")]) as server:
        attempt = await _send(server)
    assert all(isinstance(outcome, Sent) for outcome in attempt.outcomes)


async def test_refused_in_the_middle_of_the_content() -> None:
    """A relay that refuses a large mail before its end is heard, even if it hangs up at once."""
    async with ScriptedSmtp(BODY=Drop(b"552 5.3.4 too large\r\n")) as server:
        attempt, usable = await _send_and_look(server, LARGE)
    assert _scopes(attempt) in ([(Refused, Scope.MESSAGE)], [(Deferred, Scope.RELAY)])  # a reset may outrun the reply
    assert not usable
    assert server.received == []


async def test_too_large_is_refused_before_mail() -> None:
    """A mail over the announced SIZE is refused as too large without a word to the relay."""
    async with ScriptedSmtp(capabilities=("SIZE 10",)) as server:
        attempt, usable = await _send_and_look(server)
    assert _scopes(attempt) == [(Refused, Scope.MESSAGE)] * 2
    assert all(isinstance(outcome, Refused) and outcome.too_large for outcome in attempt.outcomes)
    assert usable
    assert server.commands == ["EHLO client.test", "QUIT"]


async def test_an_address_that_the_relay_cannot_take_is_refused_without_asking() -> None:
    """Without SMTPUTF8 nothing is said about it; the session is as good as before."""
    mail = OutgoingMail("ops@example.org", ("jörg@example.org",), CONTENT)
    async with ScriptedSmtp() as server:
        attempt, usable = await _send_and_look(server, mail)
    assert attempt.outcomes == (Refused(Scope.RECIPIENT, NEEDS_SMTPUTF8),)
    assert usable
    assert server.commands == ["EHLO client.test", "QUIT"]


async def test_what_the_relay_offers_is_made_use_of() -> None:
    """SIZE, SMTPUTF8 and DSN go as parameters to a relay that announced them."""
    mail = OutgoingMail("ops@example.org", ("jörg@example.org",), CONTENT, envelope_id="0A1")
    async with ScriptedSmtp(capabilities=("SIZE", "SMTPUTF8", "DSN")) as server:
        attempt = await _send(server, mail)
    assert isinstance(attempt.outcomes[0], Sent)
    size = len(CONTENT)
    assert server.commands[1] == f"MAIL FROM:<ops@example.org> SIZE={size} SMTPUTF8 RET=HDRS ENVID=0A1"
    assert server.commands[2] == "RCPT TO:<jörg@example.org> NOTIFY=FAILURE,DELAY"


async def test_a_relay_may_be_spoken_to_one_by_one() -> None:
    """Whatever it announces: it has been found not to bear PIPELINING."""
    async with ScriptedSmtp() as server:
        connection = await Connection.open(approach_to(server), may_pipeline=False)
        before = server.round_trips
        await connection.send(MAIL)
        assert server.round_trips - before == 5  # MAIL, two RCPT, DATA, the content
        await connection.close()


@pytest.mark.parametrize(
    ("step", "action", "out_of_step"),
    [
        ("RCPT", Hang(), True),
        ("DATA", "503 5.5.1 RCPT first", True),
        ("MAIL", Hang(), False),
        ("DOT", Hang(), False),
        ("DOT", b"garbage\r\n", False),
    ],
    ids=["silence at rcpt", "bad sequence", "silence at mail", "silence at the dot", "garbage at the dot"],
)
async def test_a_relay_that_may_not_bear_pipelining_is_told(step: str, action: Action, out_of_step: bool) -> None:
    """Where the dialogue breaks among the commands that went out together, that may have been too much."""
    async with ScriptedSmtp(**{step: [action]}) as server:
        attempt = await _send(server, timeouts=SHORT)
    assert attempt.out_of_step is out_of_step


async def test_a_relay_that_refuses_and_closes_has_refused() -> None:
    """Its last words behind the refusal are no sign that it has lost its place, and end the session."""
    async with ScriptedSmtp(DATA=[b"554 5.7.1 no\r\n421 4.7.0 closing\r\n"]) as server:
        attempt, usable = await _send_and_look(server)
    assert _scopes(attempt) == [(Refused, Scope.MESSAGE)] * 2
    assert (attempt.out_of_step, usable) == (False, False)


@pytest.mark.parametrize("last_words", [b"", b"421 4.4.2 idle for too long\r\n"], ids=["silent", "421"])
async def test_end_while_idle_is_seen(last_words: bytes) -> None:
    """A connection that the relay ended while idle is not usable; a mail sent over it is free of charge."""
    async with ScriptedSmtp() as server:
        connection = await Connection.open(approach_to(server))
        await connection.send(MAIL)
        server.cut(last_words)
        while connection.usable:
            await asyncio.sleep(0.001)
        attempt = await connection.send(MAIL)
        assert not connection.usable
        await connection.close()
    assert attempt.stale


@pytest.mark.parametrize(
    ("step", "action", "died_at_mail"),
    [
        ("MAIL", Drop(), True),
        ("MAIL", Hang(), True),
        ("MAIL", "421 4.3.2 bye", False),
        ("MAIL", "451 later", False),
        ("RCPT", Drop(), False),
    ],
    ids=["drop", "silence", "421", "4xx", "later"],
)
async def test_a_relay_that_hangs_up_instead_of_answering_mail_is_told(
    step: str, action: Action, died_at_mail: bool
) -> None:
    """Something about the mail itself may make it do so; a 421 is about the relay."""
    async with ScriptedSmtp(**{step: action}) as server:
        attempt = await _send(server, timeouts=SHORT)
    assert attempt.died_at_mail is died_at_mail


@pytest.mark.parametrize("action", [Drop(), "421 too many mails on this connection"], ids=["drop", "421"])
async def test_reused_connection_dies_at_mail(action: Action) -> None:
    """A reused connection that ends before the reply to MAIL is stale, not a fault of the mail."""
    async with ScriptedSmtp(MAIL=["250 ok", action]) as server:
        connection = await Connection.open(approach_to(server))
        assert not (await connection.send(MAIL)).stale
        assert (await connection.send(MAIL)).stale
        await connection.close()


@pytest.mark.parametrize(("step", "past"), [("RCPT", False), ("DOT", True)])
async def test_cancelled_send(step: str, past: bool) -> None:
    """After a cancelled send one learns whether the final dot had gone out, and the connection is cut."""
    wait = Wait("250 ok")
    async with ScriptedSmtp(**{step: wait}) as server:
        connection = await Connection.open(approach_to(server))
        sending = asyncio.create_task(connection.send(MAIL))
        await wait.reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert connection.past_final_dot is past
        attempt = connection.abandon("the deadline of the stop has passed")
        await connection.close()
    assert {outcome.ambiguous for outcome in attempt.outcomes if isinstance(outcome, Deferred)} == {past}
    assert not connection.usable


@pytest.mark.parametrize(
    "script",
    [{"EHLO": "451 later"}, {"EHLO": "502 no", "HELO": "502 no"}, {"EHLO": Drop()}, {"GREETING": Hang()}],
    ids=["ehlo-4xx", "helo-5xx", "ehlo-drop", "hang"],
)
async def test_relay_faults(script: dict[str, Action]) -> None:
    """A relay that cannot be greeted is a relay fault, named with the relay."""
    async with ScriptedSmtp(**script) as server:
        with pytest.raises(RelayFault, match='relay "mx"') as caught:
            await Connection.open(approach_to(server, timeouts=SHORT))
    assert caught.value.outcome.scope is Scope.RELAY


async def test_too_much_said_is_not_taken_for_an_answer() -> None:
    """A relay that says more to EHLO than it was asked gets no mail over that session."""
    async with ScriptedSmtp(EHLO=b"250 mx\r\n250 spoken out of turn\r\n") as server:
        connection = await Connection.open(approach_to(server))
        assert not connection.usable
        await connection.close()


async def test_nobody_listens() -> None:
    """A refused connection is a relay fault that names the address."""
    async with ScriptedSmtp() as server:
        approach = approach_to(server)
    with pytest.raises(RelayFault, match=r"127\.0\.0\.1 port \d+ says Connection refused") as caught:
        await Connection.open(approach)
    assert caught.value.outcome.scope is Scope.RELAY


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_relay_that_accepts_and_resets_at_once(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """It is a relay fault at whatever moment the reset is seen, and no exception of another kind."""

    async def try_to_open() -> list[Scope]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            resetting = threading.Thread(target=reset_all, args=(listener, 30), daemon=True)
            resetting.start()
            relay = Relay(name="mx", host="127.0.0.1", port=listener.getsockname()[1], security=Security.OPPORTUNISTIC)
            scopes = []
            for _ in range(30):
                with pytest.raises(RelayFault) as caught:
                    await Connection.open(Approach(relay=relay, logins=NoLogin(), helo_name=None, timeouts=SHORT))
                scopes.append(caught.value.outcome.scope)
            resetting.join()
            return scopes

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(try_to_open()) == [Scope.RELAY] * 30


def reset_all(listener: socket.socket, count: int) -> None:
    """Accept so many connections, and reset each before a word."""
    for _ in range(count):
        accepted, _ = listener.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted.close()


async def test_every_address_is_tried() -> None:
    """A name is tried at each of its addresses in order."""
    async with ScriptedSmtp() as server:  # IPv4 only; localhost may name ::1 first
        relay = Relay(name="mx", host="localhost", port=server.port, security=Security.OPPORTUNISTIC)
        connection = await Connection.open(Approach(relay=relay, logins=NoLogin(), helo_name=None))
        await connection.close()
    assert server.commands[0] == "EHLO [127.0.0.1]"


async def test_helo_fallback() -> None:
    """A server that knows no EHLO gets its mail all the same."""
    async with ScriptedSmtp(EHLO="500 what?") as server:
        await _send(server)
    assert server.commands[:2] == ["EHLO client.test", "HELO client.test"]
    assert server.mails[0].mail_line == "MAIL FROM:<ops@example.org>"


async def test_refused_login_never_repeats_the_password() -> None:
    """A refused login is a configuration fault, told without the password that the server repeats."""
    async with ScriptedSmtp(capabilities=("AUTH PLAIN",), AUTH="535 5.7.8 canary is wrong") as server:
        approach = replace(approach_to(server), logins=FixedLogin(Login("tim", "canary")))
        with pytest.raises(RelayFault) as caught:
            await Connection.open(approach)
    assert caught.value.outcome.scope is Scope.CONFIGURATION
    assert "canary" not in f"{caught.value} {caught.value.outcome!r}"
    assert len(server.commands) == 3  # EHLO, one AUTH, QUIT: trying twice locks accounts


ADDRESS = st.from_regex(r"[a-z0-9]{1,10}@[a-z]{1,10}\.test", fullmatch=True)
BODY = st.text(alphabet="ab.é\n", max_size=200).map(lambda text: text.replace("\n", "\r\n").encode() + b"\r\n")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sender=ADDRESS, recipients=st.lists(ADDRESS, min_size=1, max_size=4, unique=True), data=BODY)
def test_same_as_the_oracle(sender: str, recipients: list[str], data: bytes) -> None:
    """The same envelope and bytes arrive as when aiosmtplib sends them."""

    async def compare() -> None:
        async with ScriptedSmtp() as server:
            await _send(server, OutgoingMail(sender, tuple(recipients), data))
            oracle = aiosmtplib.SMTP(hostname="127.0.0.1", port=server.port, start_tls=False)
            async with oracle:
                await oracle.sendmail(sender, recipients, data)
        ours, theirs = server.mails
        assert (ours.sender, ours.recipients, ours.wire) == (theirs.sender, theirs.recipients, theirs.wire)

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(compare())
