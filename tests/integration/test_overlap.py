"""Overlapped pipelining over real sockets: one round trip a mail, and no mail harmed by the one before it."""

import asyncio
from collections import deque
from collections.abc import Iterable

import pytest

from app.delivery.connection import Connection, SendResult
from app.delivery.opening import Timeouts
from app.delivery.track_record import LOST_STEPS
from app.domain.envelope import EnvelopeState
from app.domain.outcome import Deferred, Refused, Sent
from app.domain.relay import RelayPolicy
from app.domain.verdict import is_uncharged
from app.protocols.smtp.transaction import OutgoingMail
from tests.support.scripted_sending import approach_to, put_and_record, sending_to, subjects
from tests.support.scripted_server import Link
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.smtp_actions import Delay, Drop, Wait

SHORT = Timeouts(command_s=0.3, final_dot_s=0.3)


class Chain:
    """Mails that are sent one behind the other, each as the following one of the mail before."""

    def __init__(self, mails: Iterable[OutgoingMail]) -> None:
        self.stalls = 0
        self._waiting = deque(mails)

    def take(self) -> OutgoingMail | None:
        """Return the next mail, which stays the next."""
        return self._waiting[0] if self._waiting else None

    def relay_stalls(self) -> None:
        """Count it."""
        self.stalls += 1

    async def send_over(self, connection: Connection) -> list[SendResult]:
        """Send them all, as long as the connection lasts."""
        results = []
        while self._waiting and connection.usable:
            results.append(await connection.send(self._waiting.popleft(), self))
        return results


def some_mails(*names: str) -> list[OutgoingMail]:
    """Return a mail to each of these names, with a dot at the beginning of a line."""
    return [
        OutgoingMail("ops@example.org", (f"{name}@example.org",), f"Subject: {name}\r\n\r\n.\r\n..x\r\n".encode())
        for name in names
    ]


async def send_in_a_row(server: ScriptedSmtp, mails: Iterable[OutgoingMail]) -> tuple[list[SendResult], int]:
    """Send the mails over one connection; return what became of each, and how many round trips they took."""
    connection = await Connection.open(approach_to(server))
    before = server.round_trips
    results = await Chain(mails).send_over(connection)
    round_trips = server.round_trips - before
    await connection.close()
    return results, round_trips


# One connection


async def test_a_mail_takes_one_round_trip() -> None:
    """The content of one and the envelope of the next are one flight (RFC 2920 section 3.1)."""
    mails = some_mails(*(f"r{number}" for number in range(10)))
    async with ScriptedSmtp() as server:
        results, round_trips = await send_in_a_row(server, mails)
    assert round_trips == 10 + 1
    assert [mail.data for mail in server.mails] == [mail.data for mail in mails]
    assert [mail.recipients for mail in server.mails] == [mail.recipients for mail in mails]
    assert [result.ahead for result in results] == [False] + [True] * 9
    assert server.commands[-1] == "QUIT"


async def test_without_pipelining_nothing_goes_ahead() -> None:
    """A relay gets its commands as it wants them."""
    async with ScriptedSmtp(capabilities=()) as server:
        results, round_trips = await send_in_a_row(server, some_mails("a", "b", "c"))
    assert not any(result.ahead for result in results)
    assert (len(server.mails), round_trips) == (3, 3 * 4)


@pytest.mark.parametrize(
    ("reply", "kind"), [("554 5.6.0 no", Refused), ("451 4.3.0 later", Deferred)], ids=["refused", "deferred"]
)
async def test_a_mail_refused_at_the_dot_leaves_the_next_unharmed(
    reply: str, kind: type[Refused] | type[Deferred]
) -> None:
    """Each reply is that to its own mail."""
    async with ScriptedSmtp(DOT=["250 ok", reply]) as server:
        results, _ = await send_in_a_row(server, some_mails("a", "b", "c"))
    assert [type(result.outcomes[0]) for result in results] == [Sent, kind, Sent]
    assert subjects(server) == ["a", "c"]


@pytest.mark.parametrize("data", [None, "354 go on"], ids=["554 to DATA", "354 to DATA"])
async def test_a_mail_that_nobody_may_have_leaves_its_neighbours_unharmed(data: str | None) -> None:
    """All of its recipients are refused, though it was begun ahead; DATA that succeeds gets a lone dot."""

    def rcpt(line: str) -> str | None:
        return "550 5.1.1 no such user" if "<b@" in line else None

    async with ScriptedSmtp(RCPT=rcpt, DATA=["354 go on", data, "354 go on"] if data else lambda _: None) as server:
        results, _ = await send_in_a_row(server, some_mails("a", "b", "c"))
    assert [type(result.outcomes[0]) for result in results] == [Sent, Refused, Sent]
    assert [mail.recipients for mail in server.mails if mail.recipients] == [("a@example.org",), ("c@example.org",)]


async def test_a_mail_too_large_stays_behind() -> None:
    """It is refused without a word, between two that leave."""
    small, large, last = some_mails("a", "b", "c")
    large = OutgoingMail(large.sender, large.recipients, large.data * 50)
    async with ScriptedSmtp(capabilities=("PIPELINING", "SIZE 500")) as server:
        results, _ = await send_in_a_row(server, [small, large, last])
    assert [type(result.outcomes[0]) for result in results] == [Sent, Refused, Sent]
    assert sum(command.startswith("MAIL") for command in server.commands) == 2


async def test_a_relay_that_thinks_for_long_does_not_hold_up_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while the following mail is given back, and the connection ends with the mail that is thought about."""
    monkeypatch.setattr("app.delivery.connection.PATIENCE_S", 0.05)
    slow = Wait("250 2.0.0 at last")
    async with ScriptedSmtp(DOT=[slow]) as server:
        connection = await Connection.open(approach_to(server))
        chain = Chain(some_mails("a", "b"))
        sending = asyncio.create_task(chain.send_over(connection))
        while not chain.stalls:
            await asyncio.sleep(0.001)
        slow.event.set()
        (result,) = await sending
        assert not connection.usable
        await connection.close()
    assert isinstance(result.outcomes[0], Sent)
    assert subjects(server) == ["a"]


@pytest.mark.parametrize(
    "recipients",
    [("bad", "good"), ("good", "bad"), ("bad", "good", "good"), ("good", "bad", "good"), ("good", "good", "bad")],
    ids="-".join,
)
async def test_a_reply_too_many_refuses_nobody(recipients: tuple[str, ...]) -> None:
    """A relay that answers the dot twice is a reply behind from then on: what it says counts for nobody."""
    (first,) = some_mails("a")
    addresses = tuple(f"{name}{number}@example.org" for number, name in enumerate(recipients))
    second = OutgoingMail(first.sender, addresses, first.data)

    def rcpt(line: str) -> str | None:
        return "550 5.1.1 no such user" if "<bad" in line else None

    async with ScriptedSmtp(RCPT=rcpt, DOT=[b"250 2.0.0 ok\r\n250 2.0.0 ok\r\n"]) as server:
        (taken, confused), _ = await send_in_a_row(server, [first, second])
    assert isinstance(taken.outcomes[0], Sent)
    assert [is_uncharged(outcome) for outcome in confused.outcomes] == [True] * len(recipients)
    assert subjects(server) == ["a"]


# The whole sender


async def test_a_421_at_the_dot_is_the_end_of_the_session_only() -> None:
    """Both mails leave over the next one, each once, and neither is charged."""
    async with ScriptedSmtp(DOT=[Drop(b"421 4.3.2 closing\r\n")]) as server:
        sending = sending_to(server)
        await put_and_record(sending, "a", "b", "c")
        await sending.drain()
    assert subjects(server) == ["a", "b", "c"]
    assert {d.attempts for verdict in sending.journal.verdicts for d in verdict.deliveries} == {1}


@pytest.mark.parametrize("takes", [True, False], ids=["taken", "not taken"])
async def test_a_connection_lost_behind_the_dot_is_one_mails_matter(takes: bool) -> None:
    """That mail is ambiguous; the one that was begun behind it goes at once over a new connection."""
    async with ScriptedSmtp(DOT=["250 ok", Drop(takes=takes)]) as server:
        sending = sending_to(server)
        states = await put_and_record(sending, "a", "b", "c", "d")
        await sending.drain()
    assert states == dict.fromkeys("acd", EnvelopeState.SENT) | {"b": EnvelopeState.OPEN}
    assert [verdict.ambiguous for verdict in sending.journal.verdicts].count(True) == 1
    assert subjects(server) == (["a", "b", "c", "d"] if takes else ["a", "c", "d"])
    assert sending.link.failures == 0


async def test_last_words_behind_the_reply_to_a_mail() -> None:
    """A relay that takes the mail and closes then has taken it; the next one is sent anew, free of charge."""
    last_words = Drop(b"250 2.0.0 ok\r\n421 4.4.2 enough for today\r\n", takes=True)
    async with ScriptedSmtp(DOT=[last_words]) as server:
        sending = sending_to(server)
        states = await put_and_record(sending, "a", "b")
        await sending.drain()
    assert states == dict.fromkeys("ab", EnvelopeState.SENT)
    assert (subjects(server), server.connections) == (["a", "b"], 2)
    assert {d.attempts for verdict in sending.journal.verdicts for d in verdict.deliveries} == {1}


async def test_a_late_reply_is_nobodys() -> None:
    """The 250 to a mail that was given up is not taken for the answer to the one behind it."""
    async with ScriptedSmtp(DOT=[Delay(0.6, "250 2.0.0 at last"), "554 5.6.0 not this one"]) as server:
        sending = sending_to(server, timeouts=SHORT)
        states = await put_and_record(sending, "a", "b")
        await sending.drain()
    assert states == {"a": EnvelopeState.OPEN, "b": EnvelopeState.FAILED}
    assert len(server.received) == 2


class Swallowing(ScriptedSmtp):
    """Announces PIPELINING, and throws away whatever comes behind the final dot before it has answered."""

    async def content(self, link: Link) -> bytes:
        """Return what comes up to the final dot."""
        wire = await super().content(link)
        link.buffer = b""
        return wire


async def test_a_relay_that_swallows_what_follows_is_found_out() -> None:
    """Each mail arrives once, and after two such losses nothing goes ahead any more."""
    names = [f"mail {number}" for number in range(8)]
    async with Swallowing() as server:
        sending = sending_to(server, timeouts=SHORT)
        states = await put_and_record(sending, *names)
        await sending.drain()
    assert states == dict.fromkeys(names, EnvelopeState.SENT)
    assert subjects(server) == names
    assert (sending.link.record.bears_overlap, server.connections) == (False, 1 + LOST_STEPS)


async def test_a_connection_has_its_number_of_mails_and_ends_in_order() -> None:
    """A mail that was begun ahead is the last one, and is not cut off."""
    async with ScriptedSmtp() as server:
        sending = sending_to(server, RelayPolicy(connections=1, mails_per_connection=3))
        sending.put(7)
        await sending.drain()
    assert (len(server.mails), server.connections) == (7, 3)
    assert server.commands.count("QUIT") == 3
    assert sum(command.startswith("MAIL") for command in server.commands) == 7


async def test_who_was_one_too_many_comes_before_the_next_mail() -> None:
    """Nothing is begun ahead of the rest of a mail; each recipient has each mail once."""
    async with ScriptedSmtp(RCPT=["250 ok", "452 4.5.3 too many"]) as server:
        sending = sending_to(server)
        await put_and_record(sending, "a", "b")
        await sending.drain()
    assert [(mail.data.split(b"\r\n")[0], len(mail.recipients)) for mail in server.mails] == [
        (b"Subject: a", 1),
        (b"Subject: a", 1),
        (b"Subject: b", 1),
        (b"Subject: b", 1),
    ]


async def test_a_mail_that_was_given_back_leaves_over_another_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that waits for its envelope's mail is given up, and nothing arrives twice."""
    monkeypatch.setattr("app.delivery.connection.PATIENCE_S", 0.05)
    slow = Wait("250 2.0.0 at last")
    async with ScriptedSmtp(DOT=[slow]) as server:
        sending = sending_to(server)
        first, second = sending.put(2)
        sending.start()
        await slow.reached.wait()
        await asyncio.sleep(0.2)  # longer than the patience
        slow.event.set()
        verdicts = await sending.recorded(2)
        await sending.drain()
    assert [(verdict.envelope_id, verdict.state) for verdict in verdicts] == [
        (first, EnvelopeState.SENT),
        (second, EnvelopeState.SENT),
    ]
    assert (len(server.mails), server.connections) == (2, 2)
