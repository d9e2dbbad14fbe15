"""What alarms say: which mail or relay, why, and what to do."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.alarm import Alarm
from app.domain.alarm_causes import (
    MAX_NAMED,
    broken_journal_alarm,
    duration,
    failure_alarm,
    journal_alarm,
    no_relay_alarm,
    rescue_alarm,
    start_alarm,
)
from app.domain.classify import over_size
from app.domain.envelope import QueuedMail
from app.domain.ids import format_id
from app.domain.outcome import Deferred, Outcome, Refused, Reply, Scope
from app.domain.vitals import RelayVitals
from tests.support.factories import LIFETIME, SENT, Factory, judged

MAIL = Factory().mail()
NO_MAILBOX = Refused(
    Scope.RECIPIENT, "mailbox does not exist", Reply(550, "<ops@example.org> unknown, id 4711", "5.1.1")
)
LATER = Deferred(Scope.RECIPIENT, "mailbox is busy", Reply(450, "later", "4.2.1"))
DIED = Deferred(Scope.MESSAGE, "the relay sent no SMTP reply: 'x'; it may have taken the mail", ambiguous=True)


def failure(*outcomes: Outcome, mail: QueuedMail = MAIL, **attempt: Any) -> Alarm | None:
    """Return the alarm about the outcomes of those recipients that waited."""
    return failure_alarm(mail, judged(mail, outcomes, **attempt))


def after(mail: QueuedMail, *outcomes: Outcome) -> QueuedMail:
    """Return the mail as it is after an attempt."""
    touched = {delivery.position: delivery for delivery in judged(mail, outcomes).deliveries}
    return replace(mail, deliveries=tuple(touched.get(d.position, d) for d in mail.deliveries))


def test_a_dead_letter_is_told_with_all_that_helps() -> None:
    """Which alert, which recipient, the reason, the reply, and how to send it again."""
    alarm = failure(NO_MAILBOX, SENT)
    assert alarm is not None
    assert '"disk full"' in alarm.text
    assert "ops@example.org: mailbox does not exist (550 5.1.1), not retried. The relay mx1 said: 550 5" in alarm.text
    assert alarm.text.endswith(f"\nmailalert queue retry {format_id(MAIL.envelope.alert_id)}")
    assert "boss@" not in alarm.text


def test_a_failure_is_told_while_others_wait() -> None:
    """With where to look meanwhile: it is no dead letter yet, and cannot be sent again."""
    alarm = failure(NO_MAILBOX, LATER)
    assert alarm is not None
    assert "ops@example.org: mailbox does not exist" in alarm.text
    assert alarm.text.endswith(f"\nGET /alerts/{format_id(MAIL.envelope.alert_id)}")
    assert "queue retry" not in alarm.text


@pytest.mark.parametrize("outcome", [SENT, NO_MAILBOX], ids=["sent", "refused"])
def test_a_mail_that_is_finished_later_is_told_as_the_dead_letter_that_it_is(outcome: Outcome) -> None:
    """With all that failed, also before, and under a cause that the first alarm has not silenced."""
    early, final = failure(NO_MAILBOX, LATER), failure(outcome, mail=after(MAIL, NO_MAILBOX, LATER))
    assert early is not None
    assert final is not None
    assert early.cause != final.cause
    assert "ops@example.org: mailbox does not exist" in final.text
    assert ("boss@example.org: mailbox does not exist" in final.text) == (outcome is NO_MAILBOX)
    assert "mailalert queue retry" in final.text


@pytest.mark.parametrize("outcomes", [(SENT, SENT), (SENT, LATER), (LATER, LATER)], ids=["sent", "one waits", "both"])
def test_what_did_not_fail_raises_nothing(outcomes: tuple[Outcome, ...]) -> None:
    """A mail that was sent or waits is no trouble yet."""
    assert failure(*outcomes) is None


def test_a_failure_is_told_once_while_others_wait() -> None:
    """The next attempt at those others has nothing new to tell."""
    assert failure(LATER, mail=after(MAIL, NO_MAILBOX, LATER)) is None


@pytest.mark.parametrize("second", [NO_MAILBOX, LATER], ids=["finished", "open"])
def test_an_alarm_that_fails_raises_none(second: Outcome) -> None:
    """That would be a loop."""
    mail = replace(MAIL, letterhead=replace(MAIL.letterhead, is_alarm=True))
    assert failure(NO_MAILBOX, second, mail=mail) is None


ONE_KIND = {
    "another mailbox": (NO_MAILBOX, replace(NO_MAILBOX, reply=Reply(550, "id 4712", "5.1.1"))),
    "another size": (over_size(2000, 1000), over_size(2001, 500)),
    "other garbage": (DIED, replace(DIED, reason=DIED.reason.replace("x", "y"))),
}


@pytest.mark.parametrize(("one", "other"), ONE_KIND.values(), ids=ONE_KIND.keys())
def test_failures_of_one_kind_have_one_cause(one: Outcome, other: Outcome) -> None:
    """Whatever the mail and the relay's words: a storm of them is one alarm an hour."""
    life = int(LIFETIME.total_seconds())
    alarms = [failure(outcome, outcome, mail=Factory().mail(), usable_seconds=life) for outcome in (one, other)]
    assert None not in alarms
    assert len({(alarm.cause, alarm.subject) for alarm in alarms if alarm}) == 1


@pytest.mark.parametrize("is_configuration", [True, False])
def test_wrong_settings_come_with_advice(is_configuration: bool) -> None:
    """Only where somebody has to change something."""
    relay = RelayVitals(name="mx1", usable=False, reason="535", is_configuration=is_configuration)
    assert ("mailalert check" in no_relay_alarm([relay], waiting=1).text) is is_configuration


def test_long_lists_are_cut() -> None:
    """An alarm about a thousand recipients is still one that can be read."""
    relays = [RelayVitals(name=f"mx{n}", usable=False, reason="down") for n in range(1000)]
    text = no_relay_alarm(relays, waiting=2).text
    assert f"and {1000 - MAX_NAMED} more\n" in text
    assert f"mx{MAX_NAMED}" not in text


@pytest.mark.parametrize(
    ("lost", "lost_files", "said"),
    [
        (1, 0, "1 mail could not be saved"),
        (2, 1, "2 mails and 1 attachment could not be saved"),
        (None, 0, "an unknown number of mails could not be saved"),
        (0, 3, "3 attachments could not be saved"),
        (0, 0, "every mail that waited was saved"),
    ],
)
def test_a_rescue_tells_what_was_lost_and_where_the_rest_is(lost: int | None, lost_files: int, said: str) -> None:
    """Numbers, as far as they are known, of what is lost and of nothing else, and the file that was kept."""
    alarm = rescue_alarm(copied=40, lost=lost, lost_files=lost_files, old_file="journal.damaged")
    assert alarm.subject == f"The journal was damaged: {said}"
    assert "being sent: 40 mails" in alarm.text
    assert "kept as journal.damaged" in alarm.text


def test_a_start_that_fails_says_why() -> None:
    """Who gets it may have no shell on the machine at hand."""
    assert "the disk is full" in start_alarm("the disk is full").text


def test_a_full_disk_does_not_silence_a_broken_one() -> None:
    """The two have causes of their own, for each is told once an hour."""
    assert journal_alarm("disk full").cause != broken_journal_alarm("the disk failed").cause


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(seconds=1), "1 second"),
        (timedelta(minutes=17, seconds=59), "17 minutes"),
        (timedelta(hours=1, minutes=59), "1 hour"),
        (timedelta(days=365, hours=2), "365 days"),
    ],
)
def test_a_duration_reads_well(time: timedelta, words: str) -> None:
    """In the largest unit that fits."""
    assert duration(time) == words
