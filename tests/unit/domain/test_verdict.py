"""The verdict: what one attempt changes, and what it leaves alone."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.backoff import AMBIGUOUS_DELAY, retry_delay, shortest_retry_delay
from app.domain.envelope import Delivery, DeliveryState, EnvelopeState, QueuedMail
from app.domain.outcome import Deferred, Outcome, Refused, Reply, Scope
from app.domain.verdict import LONGEST_LIFE, NO_RELAY, expire, is_overdue, is_uncharged, judge, recipients_to_try
from tests.support.clock import NOW
from tests.support.factories import (
    AMBIGUOUS,
    DEFERRED,
    LIFETIME,
    REFUSED,
    RELAY_DOWN,
    SENT,
    WRONG_PASSWORD,
    Factory,
    an_attachment,
    an_attempt,
    judged,
)

make = Factory()
OUTCOMES: dict[str, Outcome] = {
    "sent": SENT,
    "refused": REFUSED,
    "deferred": DEFERRED,
    "ambiguous": AMBIGUOUS,
    "relay": RELAY_DOWN,
    "configuration": WRONG_PASSWORD,
}
TOO_LARGE = Refused(Scope.MESSAGE, "the mail is larger than the relay takes", Reply(552, "no", "5.3.4"), too_large=True)
outcomes = st.sampled_from(list(OUTCOMES.values()))

STATES = {
    "all sent": ((SENT, SENT), EnvelopeState.SENT),
    "one refused": ((SENT, REFUSED), EnvelopeState.PARTLY_SENT),
    "all refused": ((REFUSED, REFUSED), EnvelopeState.FAILED),
    "one waits": ((SENT, DEFERRED), EnvelopeState.OPEN),
    "one refused, one waits": ((REFUSED, DEFERRED), EnvelopeState.OPEN),
    "one sent, one not come to": ((SENT, RELAY_DOWN), EnvelopeState.OPEN),
}


@pytest.mark.parametrize(("of_each", "state"), STATES.values(), ids=STATES.keys())
def test_the_envelope_stands_where_its_recipients_stand(of_each: tuple[Outcome, ...], state: EnvelopeState) -> None:
    """It is finished when nobody waits any more, and then at the time of the attempt."""
    verdict = judged(make.mail(), of_each)
    assert verdict.state is state
    assert (verdict.finished_at is None) == (state is EnvelopeState.OPEN)
    assert verdict.finished_at in {None, NOW}


@pytest.mark.parametrize("outcome", [RELAY_DOWN, WRONG_PASSWORD], ids=["relay", "configuration"])
def test_a_fault_of_the_relay_changes_nothing(outcome: Outcome) -> None:
    """No attempt is charged to the mail for what is not its fault."""
    assert judge(make.mail(), {0: outcome, 1: outcome}, an_attempt()) is None


def test_only_the_charged_recipient_is_touched() -> None:
    """Where the relay failed on the way, who had an answer keeps it, and the other's attempt is free."""
    mail = make.mail()
    verdict = judged(mail, [DEFERRED, RELAY_DOWN])
    assert [(delivery.position, delivery.attempts) for delivery in verdict.deliveries] == [(0, 1)]


def test_who_was_not_come_to_is_tried_as_soon_as_a_relay_is_usable() -> None:
    """The free attempt waits for nothing."""
    assert judged(make.mail(), [DEFERRED, RELAY_DOWN]).due_at == NOW


def test_outcomes_belong_to_those_who_waited() -> None:
    """A retry leaves the settled recipients alone."""
    mail = make.mail()
    first = judged(mail, [SENT, DEFERRED])
    retried = replace(mail, deliveries=first.deliveries)
    second = judged(retried, [SENT])
    assert [delivery.position for delivery in second.deliveries] == [1]
    assert second.state is EnvelopeState.SENT
    assert second.deliveries[0].attempts == 2


def test_outcomes_of_some_leave_the_others_as_they_were() -> None:
    """Who was not tried in this attempt still waits, without a word about him."""
    verdict = judge(make.mail(), {1: SENT}, an_attempt())
    assert verdict is not None
    assert [(delivery.position, delivery.state) for delivery in verdict.deliveries] == [(1, DeliveryState.SENT)]
    assert (verdict.state, verdict.due_at) == (EnvelopeState.OPEN, NOW)


def test_what_the_relay_said_stands_beside_the_recipient() -> None:
    """Reply, relay, time and reason are kept for people."""
    sent, refused = judged(make.mail(), [SENT, REFUSED]).deliveries
    assert (sent.reply, sent.reason, sent.relay) == ("250 2.0.0 queued as 1", "", "mx1")
    assert (refused.reply, refused.reason) == ("550 5.1.1 no such user", "the relay refused the recipient")
    assert {sent.last_attempt_at, refused.last_attempt_at} == {NOW}


# The next attempt


@pytest.mark.parametrize("attempts", range(12))
def test_retries_follow_the_schedule(attempts: int) -> None:
    """Each failure makes the wait longer, up to an hour."""
    mail = make.mail(recipients=1)
    tried = replace(mail, deliveries=(replace(mail.deliveries[0], attempts=attempts),))
    assert judged(tried, [DEFERRED]).due_at == NOW + retry_delay(attempts + 1, 0.5)


def test_an_ambiguous_mail_waits_a_minute() -> None:
    """Time for a relay that did take it to know its Message-ID."""
    assert judged(make.mail(recipients=1), [AMBIGUOUS]).due_at == NOW + AMBIGUOUS_DELAY


@pytest.mark.parametrize("outcome", [AMBIGUOUS, DEFERRED], ids=["again", "deferred later"])
def test_a_mail_that_was_ambiguous_once_is_not_tried_every_minute(outcome: Outcome) -> None:
    """A relay that always breaks after the final dot gets ever fewer copies, not 1440 a day."""
    mail = make.mail(recipients=1)
    tried = replace(mail, deliveries=(replace(mail.deliveries[0], attempts=7, ambiguous=True),))
    assert judged(tried, [outcome]).due_at == NOW + retry_delay(8, 0.5)


def test_the_first_recipient_due_makes_the_mail_due() -> None:
    """The envelope waits for the shortest of its waits."""
    mail = make.mail()
    old, new = mail.deliveries
    tried = replace(mail, deliveries=(replace(old, attempts=9), new))
    assert judged(tried, [DEFERRED, DEFERRED]).due_at == NOW + retry_delay(1, 0.5)


# Ambiguity


def test_ambiguity_is_remembered_for_good() -> None:
    """Who may have the mail twice stays marked, also when it is sent at last."""
    mail = make.mail(recipients=1)
    first = judged(mail, [AMBIGUOUS])
    second = judged(replace(mail, deliveries=first.deliveries), [SENT])
    assert first.ambiguous
    assert second.deliveries[0].ambiguous
    assert not second.ambiguous  # nobody waits any more


def test_the_envelope_is_ambiguous_while_such_a_recipient_waits() -> None:
    """A drain leaves it alone, though the last attempt was a plain deferral."""
    mail = make.mail()
    first = judged(mail, [SENT, AMBIGUOUS])
    second = judged(replace(mail, deliveries=first.deliveries), [DEFERRED])
    assert second.ambiguous


# Expiry


@pytest.mark.parametrize(
    ("usable", "state"),
    [(LIFETIME - timedelta(seconds=1), DeliveryState.PENDING), (LIFETIME, DeliveryState.EXPIRED)],
    ids=["a second before", "in time"],
)
def test_a_mail_expires_by_the_time_in_which_a_relay_was_usable(usable: timedelta, state: DeliveryState) -> None:
    """Only usable time since it was made counts, however old the mail is."""
    mail = make.mail(recipients=1, usable_seconds=500, at=NOW - timedelta(days=30))
    verdict = judged(mail, [DEFERRED], usable_seconds=500 + int(usable.total_seconds()))
    assert verdict.deliveries[0].state is state
    assert (verdict.state is EnvelopeState.FAILED) == (state is DeliveryState.EXPIRED)


def test_a_mail_past_its_lifetime_is_still_sent_if_it_can_be() -> None:
    """Expiry is for what fails."""
    assert judged(make.mail(), [SENT, SENT], usable_seconds=10**9).state is EnvelopeState.SENT


def test_usable_time_lost_in_a_crash_expires_nothing() -> None:
    """The count may be a minute behind the mail's own after a crash."""
    verdict = judged(make.mail(recipients=1, usable_seconds=100), [DEFERRED], usable_seconds=40)
    assert verdict.state is EnvelopeState.OPEN


WEEK = int(LONGEST_LIFE.total_seconds())


@pytest.mark.parametrize(("running", "overdue"), [(WEEK - 1, False), (WEEK, True)], ids=["a second before", "in time"])
def test_no_mail_waits_for_more_than_a_week(running: int, overdue: bool) -> None:
    """The longest life is bounded by the time in which the daemon ran, relay or not."""
    mail = make.mail(recipients=1, running_seconds=500)
    assert is_overdue(mail, 500 + running) is overdue
    state = judged(mail, [DEFERRED], running_seconds=500 + running).deliveries[0].state
    assert (state is DeliveryState.EXPIRED) is overdue


def test_a_mail_that_expires_without_an_attempt_says_why() -> None:
    """Nobody who waits is left out, and what the relay said last is kept."""
    mail = make.mail()
    mail = replace(mail, deliveries=(mail.deliveries[0], replace(mail.deliveries[1], reason="greylisted")))
    verdict = expire(mail, an_attempt())
    assert (verdict.state, verdict.finished_at) == (EnvelopeState.FAILED, NOW)
    assert {delivery.state for delivery in verdict.deliveries} == {DeliveryState.EXPIRED}
    assert [delivery.reason for delivery in verdict.deliveries] == [NO_RELAY, "greylisted"]
    assert {delivery.attempts for delivery in verdict.deliveries} == {0}


def test_who_has_the_mail_does_not_expire() -> None:
    """Only those who still wait are given up."""
    mail = make.mail()
    mail = replace(mail, deliveries=(replace(mail.deliveries[0], state=DeliveryState.SENT), mail.deliveries[1]))
    verdict = expire(mail, an_attempt())
    assert [delivery.position for delivery in verdict.deliveries] == [1]
    assert verdict.state is EnvelopeState.PARTLY_SENT


# Whose turn it is


def tried(delivery: Delivery, *, ago: timedelta, attempts: int = 1) -> Delivery:
    """Return the delivery after so many attempts, the last of them a while ago."""
    return replace(delivery, attempts=attempts, last_attempt_at=NOW - ago)


def test_only_those_whose_wait_is_over_are_tried() -> None:
    """A recipient with many attempts behind him is not tried whenever another one is."""
    mail = make.mail()
    patient = tried(mail.deliveries[0], ago=timedelta(minutes=10), attempts=8)
    mail = replace(mail, deliveries=(patient, tried(mail.deliveries[1], ago=timedelta(minutes=1))))
    assert recipients_to_try(mail, NOW) == (mail.deliveries[1],)


def test_an_ambiguous_recipient_waits_his_minute_beside_one_who_is_due() -> None:
    """Whoever may have the mail already is not tried with the other, whose wait is shorter."""
    mail = make.mail()
    first = judged(mail, [AMBIGUOUS, DEFERRED], random=0)
    due_at = NOW + retry_delay(1, 0)
    assert first.due_at == due_at
    mail = replace(mail, deliveries=first.deliveries)
    assert recipients_to_try(mail, due_at) == mail.deliveries[1:]
    assert recipients_to_try(mail, NOW + AMBIGUOUS_DELAY) == mail.deliveries


@pytest.mark.parametrize("random", [0, 0.5, 0.99], ids=["soon", "usual", "late"])
def test_a_mail_is_due_again_when_its_ambiguous_recipient_is(random: float) -> None:
    """Once the other one has it, the rest of the minute is waited for, and is not begun anew."""
    mail = make.mail()
    first = judged(mail, [AMBIGUOUS, DEFERRED], random=random)
    mail = replace(mail, deliveries=first.deliveries)
    second = judge(mail, {1: SENT}, an_attempt(at=first.due_at, random=random))
    assert second is not None
    assert second.due_at == NOW + AMBIGUOUS_DELAY


def test_who_was_never_tried_is_tried_now() -> None:
    """And so is one whose wait ends with the shortest jitter."""
    mail = make.mail()
    mail = replace(mail, deliveries=(mail.deliveries[0], tried(mail.deliveries[1], ago=shortest_retry_delay(1))))
    assert recipients_to_try(mail, NOW) == mail.deliveries


def test_a_mail_handed_out_ahead_of_its_time_is_tried_for_all_who_wait() -> None:
    """A mail is never handed out for nothing."""
    mail = make.mail()
    sent = replace(mail.deliveries[0], state=DeliveryState.SENT)
    mail = replace(mail, deliveries=(sent, tried(mail.deliveries[1], ago=timedelta())))
    assert recipients_to_try(mail, NOW) == (mail.deliveries[1],)


def test_a_mail_is_due_again_when_its_next_recipient_is() -> None:
    """A wait that began with an earlier attempt goes on, and is not begun anew."""
    mail = make.mail()
    earlier = tried(mail.deliveries[0], ago=timedelta(minutes=5), attempts=4)
    verdict = judge(replace(mail, deliveries=(earlier, mail.deliveries[1])), {1: SENT}, an_attempt())
    assert verdict is not None
    assert verdict.due_at == NOW + retry_delay(4, 0.5) - timedelta(minutes=5)


# Too large


def with_files(*, shed: bool = False) -> QueuedMail:
    """Return a mail that has an attachment, or had one."""
    mail = make.mail(attachments=(an_attachment(),))
    return replace(mail, envelope=replace(mail.envelope, without_attachments=shed))


def test_a_mail_too_large_goes_again_without_its_attachments() -> None:
    """At once, as one attempt, and nobody is refused; the sentence says what will happen."""
    verdict = judged(with_files(), [TOO_LARGE, TOO_LARGE])
    assert (verdict.state, verdict.due_at, verdict.without_attachments) == (EnvelopeState.OPEN, NOW, True)
    assert {delivery.state for delivery in verdict.deliveries} == {DeliveryState.PENDING}
    assert {delivery.attempts for delivery in verdict.deliveries} == {1}
    assert "without its attachments" in verdict.deliveries[0].reason


def test_too_large_for_one_leaves_the_others_as_they_are() -> None:
    """Who was refused for another reason stays refused, who has it keeps it."""
    first = judged(with_files(), [TOO_LARGE, REFUSED])
    assert [delivery.state for delivery in first.deliveries] == [DeliveryState.PENDING, DeliveryState.REFUSED]
    assert first.without_attachments


@pytest.mark.parametrize("mail", [make.mail(), with_files(shed=True)], ids=["it had none", "they are gone already"])
def test_a_mail_that_cannot_be_made_smaller_is_refused(mail: QueuedMail) -> None:
    """It is sent once more at most."""
    assert judged(mail, [TOO_LARGE, TOO_LARGE]).state is EnvelopeState.FAILED


def test_attachments_once_shed_stay_away() -> None:
    """A later deferral does not bring them back."""
    assert judged(with_files(shed=True), [DEFERRED, DEFERRED]).without_attachments


# Of all mixes


@pytest.mark.parametrize("names", list(product(OUTCOMES, repeat=2)), ids="-".join)
def test_every_mix_charges_who_had_an_answer_and_nobody_else(names: tuple[str, str]) -> None:
    """One recipient's fault never costs another an attempt."""
    of_each = [OUTCOMES[name] for name in names]
    verdict = judge(make.mail(), dict(enumerate(of_each)), an_attempt())
    charged = [position for position, outcome in enumerate(of_each) if not is_uncharged(outcome)]
    assert [delivery.position for delivery in verdict.deliveries] == charged if verdict else not charged


@given(st.lists(outcomes, min_size=1, max_size=2), st.floats(0, 1, exclude_max=True), st.integers(0, 200_000))
def test_no_recipient_is_lost(of_each: list[Outcome], random: float, usable_seconds: int) -> None:
    """After every attempt each recipient is sent, refused, expired, or waits for an attempt that comes."""
    mail = make.mail(recipients=len(of_each))
    verdict = judge(mail, dict(enumerate(of_each)), an_attempt(random=random, usable_seconds=usable_seconds))
    if verdict is None:
        return
    touched = {delivery.position: delivery for delivery in verdict.deliveries}
    waiting = [d for d in mail.deliveries if touched.get(d.position, d).state is DeliveryState.PENDING]
    assert bool(waiting) == (verdict.state is EnvelopeState.OPEN) == (verdict.finished_at is None)
    assert NOW <= verdict.due_at <= NOW + timedelta(minutes=72)


@pytest.mark.parametrize("scope", Scope)
def test_only_the_relay_and_the_settings_are_free_of_charge(scope: Scope) -> None:
    """A deferral of a message or a recipient counts as its attempt."""
    assert is_uncharged(Deferred(scope, "later")) == (scope in {Scope.RELAY, Scope.CONFIGURATION})
