"""What alarms say: which mail or relay, why, and what to do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.alarm_causes import (
    MAX_NAMED,
    broken_journal_alarm,
    dead_letter_alarm,
    duration,
    journal_alarm,
    no_relay_alarm,
    rescue_alarm,
)
from app.domain.envelope import Delivery, DeliveryState, EnvelopeState
from app.domain.ids import format_id
from app.domain.verdict import Verdict
from app.domain.vitals import RelayVitals
from tests.support.clock import NOW
from tests.support.factories import Factory

REFUSED = Delivery(
    position=0,
    state=DeliveryState.REFUSED,
    relay="mx1",
    reply="550 5.1.1 <ops@example.org> is unknown here, id 4711",
    reason="there is no such mailbox",
)
MAIL = Factory().mail()


def verdict(*deliveries: Delivery) -> Verdict:
    """Return what an attempt changed."""
    return Verdict(
        envelope_id=MAIL.envelope.id,
        state=EnvelopeState.FAILED,
        due_at=NOW,
        finished_at=NOW,
        ambiguous=False,
        deliveries=deliveries,
    )


def test_a_dead_letter_is_told_with_all_that_helps() -> None:
    """Which alert, which recipient, the reason, the reply, and how to send it again."""
    alarm = dead_letter_alarm(MAIL, verdict(REFUSED))
    assert alarm is not None
    assert '"disk full"' in alarm.text
    assert "ops@example.org: refused, there is no such mailbox. The relay mx1 said: 550 5.1.1 <ops@" in alarm.text
    assert f"mailalert queue retry {format_id(MAIL.envelope.id)}" in alarm.text


def test_dead_letters_of_one_kind_have_one_cause() -> None:
    """Whatever the reply and the mail: a storm of them is one alarm an hour."""
    other = replace(REFUSED, reply="550 5.1.1 id 4712", position=1)
    alarms = dead_letter_alarm(MAIL, verdict(REFUSED)), dead_letter_alarm(Factory().mail(), verdict(other))
    assert {alarm.cause for alarm in alarms if alarm} == {"refused: there is no such mailbox"}


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.PENDING])
def test_what_did_not_fail_is_no_dead_letter(state: DeliveryState) -> None:
    """A mail that was sent or waits raises nothing."""
    assert dead_letter_alarm(MAIL, verdict(replace(REFUSED, state=state))) is None


def test_an_alarm_that_fails_raises_none() -> None:
    """That would be a loop."""
    mail = replace(MAIL, letterhead=replace(MAIL.letterhead, is_alarm=True))
    assert dead_letter_alarm(mail, verdict(REFUSED)) is None


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


@pytest.mark.parametrize(("lost", "said"), [(1, "1 mail"), (2, "2 mails"), (None, "an unknown number of mails")])
def test_a_rescue_tells_what_was_lost_and_where_the_rest_is(lost: int | None, said: str) -> None:
    """Numbers, as far as they are known, and the file that was kept."""
    alarm = rescue_alarm(copied=40, lost=lost, old_file="journal.damaged")
    assert alarm.subject == f"The journal was damaged: {said} could not be saved"
    assert "40 were copied" in alarm.text
    assert "kept as journal.damaged" in alarm.text


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
