"""Mails with attachments: fetched and made when it is their turn, few at once, and never in the way of the others."""

from collections import deque

import pytest

from app.domain.alert import Severity
from app.domain.envelope import EnvelopeState
from app.domain.outcome import Refused, Reply, Scope
from app.protocols.smtp.capabilities import Capabilities
from tests.support.factories import an_attachment
from tests.support.fake_relay import Hang
from tests.support.sending import HEAVY_AT_ONCE, Sending

TOO_LARGE = Refused(Scope.MESSAGE, "the mail is larger than the relay takes", Reply(552), too_large=True)


def put_heavy(sending: Sending, count: int, severity: Severity = Severity.WARNING, subject: str = "heavy") -> list[int]:
    """Let mails with an attachment wait."""
    return sending.put(count, attachments=(an_attachment(),), severity=severity, subject=subject)


async def test_attachments_are_fetched_for_the_mail_that_has_them(sending: Sending) -> None:
    """In the queue a mail is without its files; what goes out has them."""
    sending.put(attachments=(an_attachment(b"one"), an_attachment(b"two")))
    sending.put()
    await sending.drain()
    assert [mail.data for mail in sending.relay.mails] == [
        b"Subject: disk full\r\n\r\nonetwo",
        b"Subject: disk full\r\n\r\n",
    ]


async def test_attachments_that_cannot_be_read_defer_their_mail_alone(sending: Sending) -> None:
    """The mail waits like any other that could not be made."""
    sending.attachments_fault = OSError("disk")
    (broken,) = sending.put(attachments=(an_attachment(),), severity=Severity.CRITICAL)
    sending.put()
    await sending.drain()
    states = {verdict.envelope_id: verdict.state for verdict in sending.journal.verdicts}
    assert states.pop(broken) is EnvelopeState.OPEN
    assert set(states.values()) == {EnvelopeState.SENT}


async def test_a_mail_too_large_leaves_without_its_attachments(sending: Sending) -> None:
    """At once, to everybody who was refused for that, and only once."""
    sending.relay.answers.append(TOO_LARGE)
    sending.put(attachments=(an_attachment(b"core dump"),))
    sending.start()
    first, second = await sending.recorded(2)
    assert (first.without_attachments, first.state) == (True, EnvelopeState.OPEN)
    assert second.state is EnvelopeState.SENT
    assert [b"core dump" in mail.data for mail in sending.relay.mails] == [True, False]


# Few at once


async def test_few_mails_with_attachments_are_in_memory_at_once() -> None:
    """However many connections there are; mails without go on meanwhile."""
    sending = Sending(connections=5)
    hangs = [Hang(past_final_dot=False) for _ in range(HEAVY_AT_ONCE)]
    sending.relay.answers.extend(hangs)
    heavy = put_heavy(sending, 4, Severity.CRITICAL)
    sending.start()
    for hang in hangs:
        await hang.reached.wait()
    light = sending.put(3)
    assert {verdict.envelope_id for verdict in await sending.recorded(3)} == set(light)
    assert len(sending.relay.mails) == HEAVY_AT_ONCE + len(light)
    for hang in hangs:
        hang.reply.set()
    await sending.recorded(len(light) + len(heavy))
    await sending.drain()


async def test_a_critical_mail_leaves_while_others_wait_with_their_attachments() -> None:
    """No worker holds a mail whose turn it is not yet, so there is one for whatever comes."""
    sending = Sending(connections=HEAVY_AT_ONCE + 1)
    hangs = [Hang(past_final_dot=False) for _ in range(HEAVY_AT_ONCE)]
    sending.relay.answers.extend(hangs)
    put_heavy(sending, 10, Severity.INFO)
    sending.start()
    for hang in hangs:
        await hang.reached.wait()
    critical = sending.put(10, severity=Severity.CRITICAL)
    assert {verdict.envelope_id for verdict in await sending.recorded(10)} == set(critical)
    for hang in hangs:
        hang.reply.set()
    await sending.drain()
    assert sending.recorder.sent == 20


@pytest.mark.parametrize("pipelining", [False, True], ids=["one by one", "with a mail ahead"])
async def test_a_relay_that_thinks_for_long_keeps_no_attachments_waiting(pipelining: bool) -> None:
    """The places of the mails that it thinks about are free for the next."""
    sending = Sending(connections=HEAVY_AT_ONCE + 1)
    sending.relay.capabilities = Capabilities(pipelining=pipelining)
    stalls, light = [Hang(past_final_dot=True, stalls=True) for _ in range(HEAVY_AT_ONCE)], Hang(past_final_dot=False)
    sending.relay.answers_about |= {b"slow": deque(stalls), b"light": deque([light])}
    slow = put_heavy(sending, HEAVY_AT_ONCE, Severity.CRITICAL, "slow")
    others = sending.put(10, subject="light") + put_heavy(sending, 3, Severity.INFO)
    sending.start()
    for hang in (*stalls, light):
        await hang.reached.wait()
    light.reply.set()
    assert {verdict.envelope_id for verdict in await sending.recorded(len(others))} == set(others)
    for stall in stalls:
        stall.reply.set()
    assert {verdict.envelope_id for verdict in await sending.recorded(len(slow + others))} == set(slow + others)
    await sending.drain()


async def test_attachments_have_their_turn_among_mails_that_go_ahead(sending: Sending) -> None:
    """They go neither ahead themselves, nor do lighter mails overtake them over the one connection for ever."""
    sending.relay.capabilities = Capabilities(pipelining=True)
    (critical,) = put_heavy(sending, 1, Severity.CRITICAL)
    hang = Hang(past_final_dot=False)
    sending.relay.answers.append(hang)
    sending.start()
    await hang.reached.wait()
    (heavy,), light = put_heavy(sending, 1, Severity.ERROR), sending.put(10)
    hang.reply.set()
    verdicts = await sending.recorded(12)
    assert [verdict.envelope_id for verdict in verdicts] == [critical, heavy, *light]
