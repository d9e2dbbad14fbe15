"""The track record: what mail after mail says about a relay, where one mail alone says nothing."""

import pytest
from structlog.testing import capture_logs

from app.delivery.connection import SendResult
from app.delivery.track_record import (
    LOST_STEPS,
    NOT_TAKEN,
    REFUSED_SENDERS,
    REFUSES_SENDERS,
    TAKES_NOTHING,
    TrackRecord,
)
from app.domain.outcome import Deferred, Outcome, Refused, Reply, Scope
from tests.support.factories import AMBIGUOUS, DEFERRED, REFUSED, RELAY_DOWN, SENT

GREYLISTED = Deferred(Scope.RECIPIENT, "greylisted", Reply(450, "later"))
NO_SUCH_SENDER = Reply(550, "no such sender")
DIED_AT_MAIL = SendResult((RELAY_DOWN,), died_at_mail=True)


@pytest.fixture
def record() -> TrackRecord:
    """The record of a relay that is new."""
    return TrackRecord("mx1")


def answer(*outcomes: Outcome, ahead: bool = False) -> SendResult:
    """Return the result of a mail whose content the relay has answered, or not, with these outcomes."""
    return SendResult(outcomes, mail_taken_up=True, ahead=ahead)


def refusal(reply: Reply = NO_SUCH_SENDER) -> SendResult:
    """Return the result of a mail whose sender was refused."""
    return SendResult((Refused(Scope.MESSAGE, "refused", reply),), sender_refusal=reply)


# Pipelining


def test_a_relay_that_loses_its_place_twice_is_spoken_to_one_by_one(record: TrackRecord) -> None:
    """Its announcement is not believed any more, and that is logged once."""
    with capture_logs() as logs:
        for _ in range(LOST_STEPS):
            assert record.bears_pipelining
            record.note_lost_step(ahead=False)
        record.note_lost_step(ahead=False)
    assert [line["event"] for line in logs] == ["pipelining_given_up"]
    assert not record.bears_pipelining
    assert record.bears_overlap


def test_a_relay_that_bears_no_following_mail_still_gets_commands_at_once(record: TrackRecord) -> None:
    """What goes behind the content is given up by itself."""
    for _ in range(LOST_STEPS):
        assert record.bears_overlap
        record.note_lost_step(ahead=True)
    assert not record.bears_overlap
    assert record.bears_pipelining


@pytest.mark.parametrize("ahead", [False, True], ids=["commands", "following"])
def test_one_broken_dialogue_is_forgotten(record: TrackRecord, ahead: bool) -> None:
    """A network that broke just then is no reason to go slow for ever."""
    for _ in range(3 * LOST_STEPS):
        record.note_lost_step(ahead=ahead)
        record.note_answer(answer(SENT, ahead=ahead))
    assert (record.bears_overlap, record.bears_pipelining) == (True, True)


def test_a_mail_by_itself_does_not_clear_what_follows(record: TrackRecord) -> None:
    """Only an envelope that went ahead and was answered shows that the relay bears it."""
    for _ in range(LOST_STEPS):
        record.note_lost_step(ahead=True)
        record.note_answer(answer(SENT))
    assert not record.bears_overlap


def test_what_was_given_up_stays_so(record: TrackRecord) -> None:
    """A relay is not tried out again and again with real mail."""
    for _ in range(LOST_STEPS):
        record.note_lost_step(ahead=True)
    record.note_answer(answer(SENT, ahead=True))
    assert not record.bears_overlap


# Refused senders


def test_a_relay_that_refuses_every_sender_is_at_fault(record: TrackRecord) -> None:
    """The fifth refusal of MAIL in a row with the same code is the relay's, and so is each one after it."""
    assert [record.note_sender(refusal()) for _ in range(REFUSED_SENDERS - 1)] == [None] * (REFUSED_SENDERS - 1)
    fault = Deferred(Scope.RELAY, REFUSES_SENDERS, NO_SUCH_SENDER)
    assert [record.note_sender(refusal()) for _ in range(2)] == [fault, fault]


@pytest.mark.parametrize(
    ("between", "is_at_fault"),
    [
        (answer(SENT), False),
        (answer(DEFERRED), False),
        (refusal(Reply(553, "not yours")), False),
        (DIED_AT_MAIL, True),
        (SendResult((DEFERRED,)), True),
    ],
    ids=["sent", "later at the content", "another code", "dropped at MAIL", "later at MAIL"],
)
def test_only_a_sender_that_was_taken_starts_anew(record: TrackRecord, between: SendResult, is_at_fault: bool) -> None:
    """A connection that broke before the answer to MAIL says nothing of the sender."""
    for _ in range(REFUSED_SENDERS - 1):
        record.note_sender(refusal())
    assert record.note_sender(between) is None
    assert (record.note_sender(refusal()) is not None) == is_at_fault


# Mails that are not taken


@pytest.mark.parametrize("outcome", [DEFERRED, AMBIGUOUS], ids=["put off as a whole", "lost behind the dot"])
def test_a_relay_that_takes_no_mail_is_at_fault(record: TrackRecord, outcome: Deferred) -> None:
    """The fifth such mail in a row is the relay's fault, with what it said last."""
    assert [record.note_answer(answer(outcome)) for _ in range(NOT_TAKEN - 1)] == [None] * (NOT_TAKEN - 1)
    assert record.note_answer(answer(outcome, outcome)) == Deferred(Scope.RELAY, TAKES_NOTHING, outcome.reply)


def test_a_mail_that_is_put_off_again_and_again_is_one_mail(record: TrackRecord) -> None:
    """Each of its transactions says the same, and others may be taken."""
    for _ in range(NOT_TAKEN - 1):
        record.note_answer(answer(DEFERRED))
    assert [record.note_answer(answer(DEFERRED), again=True) for _ in range(10)] == [None] * 10
    assert record.note_answer(answer(DEFERRED)) is not None


def test_a_mail_that_is_lost_again_and_again_is_not_tried_for_ever(record: TrackRecord) -> None:
    """A relay that breaks off behind each content may take minutes to do so, for each of many recipients."""
    faults = [record.note_answer(answer(AMBIGUOUS), again=number > 0) for number in range(NOT_TAKEN)]
    assert faults[-1] is not None


def test_behind_the_pause_one_mail_decides(record: TrackRecord) -> None:
    """It is not lost five at a time, for ever."""
    for _ in range(NOT_TAKEN):
        record.note_answer(answer(AMBIGUOUS))
    assert record.note_answer(answer(AMBIGUOUS)) is not None
    assert record.note_answer(answer(SENT)) is None
    assert record.note_answer(answer(AMBIGUOUS)) is None


@pytest.mark.parametrize(
    "outcomes",
    [(SENT,), (REFUSED,), (GREYLISTED,), (AMBIGUOUS, REFUSED), (DEFERRED, SENT)],
    ids=["sent", "refused", "greylisted", "one of two refused", "one of two sent"],
)
def test_a_word_about_any_recipient_starts_anew(record: TrackRecord, outcomes: tuple[Outcome, ...]) -> None:
    """A relay that has an answer for somebody works."""
    for _ in range(3):
        assert [record.note_answer(answer(AMBIGUOUS)) for _ in range(NOT_TAKEN - 1)] == [None] * (NOT_TAKEN - 1)
        assert record.note_answer(answer(*outcomes)) is None
