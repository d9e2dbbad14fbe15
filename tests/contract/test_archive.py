"""What every journal tells people of their alerts, whatever it is made of."""

from dataclasses import replace
from itertools import combinations_with_replacement

import pytest

from app.domain.alert import Severity, Status
from app.domain.envelope import Delivery, DeliveryState, EnvelopeState, state_of_all
from app.domain.outcome import Outcome
from app.domain.report import AlertSummary
from tests.support.clock import NOW
from tests.support.desk import Desk, envelope_ids
from tests.support.factories import DEFERRED, FULL, REFUSED, SENT, verdict_on


async def test_an_unknown_alert_is_not_found(desk: Desk) -> None:
    """No report is made up."""
    batch = await desk.post()
    assert await desk.journal.find(batch.alerts[0].id + 1) is None


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(SENT, EnvelopeState.SENT), (REFUSED, EnvelopeState.FAILED), (DEFERRED, EnvelopeState.OPEN)],
    ids=["sent", "refused", "deferred"],
)
async def test_a_report_tells_the_outcome(desk: Desk, outcome: Outcome, state: EnvelopeState) -> None:
    """State, end, next attempt and the relay's reply are all there."""
    batch = await desk.post()
    verdict = verdict_on(batch.envelopes[0].id, outcome)
    await desk.journal.record(verdict)
    report = await desk.journal.find(batch.alerts[0].id)
    assert report is not None
    (envelope,) = report.envelopes
    assert (envelope.state, envelope.finished_at, envelope.due_at) == (state, verdict.finished_at, verdict.due_at)
    assert envelope.deliveries[0] == verdict.deliveries[0]


async def test_a_page_lists_the_newest_first(desk: Desk) -> None:
    """People look at what happened last."""
    batch = await desk.post(3)
    ((*lines,),) = await desk.pages(10)
    assert [line.id for line in lines] == [alert.id for alert in reversed(batch.alerts)]


async def test_a_line_of_a_page_sums_an_alert_up(desk: Desk) -> None:
    """Each field of the summary is the alert's own."""
    batch = await desk.post(alert=FULL)
    ((line,),) = await desk.pages(10)
    assert line == AlertSummary(
        id=batch.alerts[0].id,
        received_at=NOW,
        subject=FULL.subject,
        severity=Severity.CRITICAL,
        status=Status.RESOLVED,
        source=FULL.source,
        envelope_ids=(batch.envelopes[0].id,),
        state=EnvelopeState.OPEN,
    )


async def test_the_cursor_leads_over_all_alerts_once(desk: Desk) -> None:
    """Page after page, no alert is missing and none comes twice."""
    batch = await desk.post(23)
    lines = [line for page in await desk.pages(5) for line in page]
    assert [line.id for line in lines] == [alert.id for alert in reversed(batch.alerts)]


async def test_alerts_that_come_meanwhile_do_not_shift_the_pages(desk: Desk) -> None:
    """The cursor is an alert, not a number of lines."""
    old = await desk.post(4)
    first = await desk.journal.page(before=None, limit=2, state=None, severity=None)
    await desk.post(3)
    second = await desk.journal.page(before=first.next_before, limit=2, state=None, severity=None)
    assert [line.id for line in second.alerts] == [old.alerts[1].id, old.alerts[0].id]


STATES = {
    "open": (EnvelopeState.OPEN, 0),
    "sent": (EnvelopeState.SENT, 1),
    "partly sent": (EnvelopeState.PARTLY_SENT, 2),
    "failed": (EnvelopeState.FAILED, 3),
}


@pytest.mark.parametrize(("state", "index"), STATES.values(), ids=STATES.keys())
@pytest.mark.parametrize("limit", [1, 50])
async def test_a_page_holds_one_state_if_asked(desk: Desk, state: EnvelopeState, index: int, limit: int) -> None:
    """The filter finds the one alert of that state among the others."""
    batch = await desk.post(4)
    waiting, sent, partly, failed = envelope_ids(batch)
    await desk.journal.record(verdict_on(waiting, DEFERRED))
    await desk.journal.record(verdict_on(sent))
    refused = Delivery(1, DeliveryState.REFUSED, attempts=1, last_attempt_at=NOW)
    both = replace(verdict_on(partly), state=EnvelopeState.PARTLY_SENT)
    await desk.journal.record(replace(both, deliveries=(*both.deliveries, refused)))
    await desk.journal.record(verdict_on(failed, REFUSED))
    lines = [line for page in await desk.pages(limit, state=state) for line in page]
    assert [(line.id, line.state) for line in lines] == [(batch.alerts[index].id, state)]


async def test_a_page_holds_one_severity_if_asked(desk: Desk) -> None:
    """Filters of severity and state hold together."""
    await desk.post(3, severity=Severity.INFO)
    errors = await desk.post(3, severity=Severity.ERROR)
    await desk.journal.record(verdict_on(errors.envelopes[1].id, REFUSED))
    await desk.journal.record(verdict_on((await desk.post(severity=Severity.INFO)).envelopes[0].id, REFUSED))
    all_errors = await desk.pages(50, severity=Severity.ERROR)
    failed_errors = await desk.pages(50, severity=Severity.ERROR, state=EnvelopeState.FAILED)
    assert [line.id for line in all_errors[0]] == [alert.id for alert in reversed(errors.alerts)]
    assert [line.id for line in failed_errors[0]] == [errors.alerts[1].id]


async def test_a_page_of_nothing_is_the_last(desk: Desk) -> None:
    """An empty journal answers too."""
    assert await desk.pages(10) == [[]]


# Alerts with several mails, and with none


SEVERAL: dict[str, tuple[tuple[Outcome, ...], EnvelopeState]] = {
    "one still waits": ((SENT, DEFERRED), EnvelopeState.OPEN),
    "one failed and one waits": ((REFUSED, DEFERRED), EnvelopeState.OPEN),
    "all sent": ((SENT, SENT), EnvelopeState.SENT),
    "one failed": ((SENT, REFUSED), EnvelopeState.PARTLY_SENT),
    "all failed": ((REFUSED, REFUSED), EnvelopeState.FAILED),
}


@pytest.mark.parametrize(("outcomes", "state"), SEVERAL.values(), ids=SEVERAL.keys())
async def test_an_alert_with_several_mails_is_one_line(
    desk: Desk, outcomes: tuple[Outcome, ...], state: EnvelopeState
) -> None:
    """Its state is that of all of them, in the list, under its filter and no other, and in the report."""
    batch = await desk.post_to(len(outcomes))
    for envelope, outcome in zip(batch.envelopes, outcomes, strict=True):
        await desk.journal.record(verdict_on(envelope.id, outcome))
    found = {each: await desk.journal.page(before=None, limit=9, state=each, severity=None) for each in EnvelopeState}
    ((line,),) = await desk.pages(9)
    report = await desk.journal.find(batch.alerts[0].id)
    assert (line.state, line.envelope_ids) == (state, tuple(envelope_ids(batch)))
    assert [each for each, page in found.items() if page.alerts] == [state]
    assert report is not None
    assert (report.state, len(report.envelopes)) == (state, 2)


async def test_an_alert_that_is_kept_is_finished(desk: Desk) -> None:
    """It is found and listed, waits for nobody, and is no dead letter."""
    batch = await desk.post_to(1, state=EnvelopeState.KEPT)
    ((line,),) = await desk.pages(9, state=EnvelopeState.KEPT)
    report = await desk.journal.find(batch.alerts[0].id)
    assert (line.id, line.state, desk.journal.open_count) == (batch.alerts[0].id, EnvelopeState.KEPT, 0)
    assert await desk.due_ids() == []
    assert (await desk.journal.dead_letters(before=None, limit=9)).letters == ()
    assert report is not None
    assert report.envelopes[0].finished_at == NOW


async def test_an_alert_that_is_kept_needs_no_room_in_the_backlog(desk: Desk) -> None:
    """A sign of life counts also while mail cannot leave."""
    await desk.post(1000)
    await desk.post_to(1, state=EnvelopeState.KEPT)
    assert desk.journal.open_count == 1000


TWO_STATES = list(combinations_with_replacement(EnvelopeState, 2))


@pytest.mark.parametrize("states", TWO_STATES, ids=lambda states: "-".join(map(str, states)))
async def test_any_two_states_make_the_same_one_everywhere(
    desk: Desk, states: tuple[EnvelopeState, EnvelopeState]
) -> None:
    """The list, its filter and the report agree, whatever the mails came to."""
    batch = desk.make.alert_to(2)
    envelopes = [replace(envelope, state=state) for envelope, state in zip(batch.envelopes, states, strict=True)]
    await desk.journal.accept(batch.alerts, envelopes)
    combined = state_of_all(states)
    assert [line.state for page in await desk.pages(9) for line in page] == [combined]
    assert [line.state for page in await desk.pages(9, state=combined) for line in page] == [combined]
