"""`GET /alerts` and `GET /alerts/{id}`: what became of an alert, in words that people read."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.address import Mailbox
from app.domain.alert import Alert
from app.domain.attachment import Attachment
from app.domain.envelope import Delivery, EnvelopeState, QueuedMail
from app.domain.ids import format_id
from app.domain.outcome import Outcome
from app.domain.ports import FreshStart
from tests.support.clock import NOW
from tests.support.factories import AMBIGUOUS, DEFERRED, FULL, LETTERHEAD, REFUSED, SENT, Factory, judged
from tests.support.web_site import Site

make = Factory()
DF = Attachment(name="df.txt", content_type="text/plain", size_bytes=3, data=b"abc")


async def put(site: Site, *outcomes: Outcome, **of: Any) -> QueuedMail:
    """Let a mail be in the journal, with the outcomes of one attempt if there are any."""
    mail = make.mail(**of)
    site.journal.put(mail)
    if outcomes:
        await site.journal.record(judged(mail, outcomes))
    return mail


async def shown(site: Site, mail: QueuedMail) -> Any:
    """Return what is shown of the mail's alert."""
    answer = await site.get(f"/alerts/{format_id(mail.accepted.id)}")
    assert answer.status == 200
    return answer.json


# One alert


async def test_an_alert_is_shown_in_all_its_fields(site: Site) -> None:
    """What was posted can be read again."""
    mail = await put(site, alert=FULL)
    body = await shown(site, mail)
    assert body["id"] == format_id(mail.accepted.id)
    assert {name: body[name] for name in ("subject", "content", "source", "key", "severity", "status")} == {
        "subject": FULL.subject,
        "content": FULL.content,
        "source": FULL.source,
        "key": FULL.key,
        "severity": "critical",
        "status": "resolved",
    }
    assert body["labels"] == FULL.labels
    assert body["extra"] == FULL.extra
    assert body["notes"] == list(FULL.notes)
    assert body["links"][0] == {"url": "https://grafana.example/d/1?a=1&b=2", "title": "Dashboard"}
    assert body["received_at"] == "2026-03-04T05:06:07.890Z"
    assert (body["starts_at"], body["ends_at"]) == ("2026-03-04T06:00:00.000+01:00", "2026-03-04T07:00:00.000Z")


STATES = {
    "new": ((), "queued"),
    "sent": ((SENT, SENT), "sent"),
    "partly sent": ((SENT, REFUSED), "partly sent"),
    "failed": ((REFUSED, REFUSED), "failed"),
    "waiting": ((SENT, DEFERRED), "queued"),
}


@pytest.mark.parametrize(("outcomes", "state"), STATES.values(), ids=STATES.keys())
async def test_the_state_follows_from_the_outcomes(site: Site, outcomes: tuple[Outcome, ...], state: str) -> None:
    """The alert and its mail say the same."""
    body = await shown(site, await put(site, *outcomes))
    assert (body["state"], body["mails"][0]["state"]) == (state, state)


async def test_an_attempt_under_way_shows_as_sending(site: Site) -> None:
    """In the alert and in the list."""
    mail = await put(site)
    site.sending.add(mail.envelope.id)
    assert (await shown(site, mail))["state"] == "sending"
    assert (await site.get("/alerts")).json["alerts"][0]["state"] == "sending"


async def test_a_finished_mail_is_not_sending(site: Site) -> None:
    """What is in the journal counts more than what the sender still holds."""
    mail = await put(site, SENT, SENT)
    site.sending.add(mail.envelope.id)
    assert (await shown(site, mail))["state"] == "sent"


async def test_each_recipient_is_shown_with_the_last_reply(site: Site) -> None:
    """Address, state, attempts, time, relay and what it said."""
    body = await shown(site, await put(site, SENT, REFUSED))
    assert body["mails"][0]["recipients"] == [
        {
            "address": "ops@example.org",
            "state": "sent",
            "text": "sent",
            "attempts": 1,
            "last_attempt_at": "2026-03-04T05:06:07.890Z",
            "relay": "mx1",
            "reply": "250 2.0.0 queued as 1",
            "reason": "",
            "remote": "",
            "possibly_twice": False,
        },
        {
            "address": "boss@example.org",
            "state": "refused",
            "text": "the relay refused the recipient (550 5.1.1), not retried",
            "attempts": 1,
            "last_attempt_at": "2026-03-04T05:06:07.890Z",
            "relay": "mx1",
            "reply": "550 5.1.1 no such user",
            "reason": "the relay refused the recipient",
            "remote": "",
            "possibly_twice": False,
        },
    ]


async def test_a_mail_that_waits_shows_its_next_attempt(site: Site) -> None:
    """And one that is finished shows its end instead."""
    waits = (await shown(site, await put(site, AMBIGUOUS, AMBIGUOUS)))["mails"][0]
    ended = (await shown(site, await put(site, SENT, SENT)))["mails"][0]
    assert (waits["next_attempt_at"], waits["finished_at"]) == ("2026-03-04T05:07:07.890Z", None)
    assert (ended["next_attempt_at"], ended["finished_at"]) == (None, "2026-03-04T05:06:07.890Z")
    assert waits["recipients"][0]["possibly_twice"] is True


async def test_attachments_are_listed(site: Site) -> None:
    """Their names, types and sizes; what is in them went with the mail, unless it was too large for that."""
    body = await shown(site, await put(site, alert=replace(FULL, attachments=(DF,))))
    assert body["attachments"] == [{"name": "df.txt", "content_type": "text/plain", "size_bytes": 3}]
    assert body["mails"][0]["without_attachments"] is False


async def test_what_people_did_to_a_mail_is_shown(site: Site) -> None:
    """A retry and a drop are on the record, with their times."""
    mail = await put(site, REFUSED, REFUSED)
    await site.journal.retry(mail.envelope.id, FreshStart(NOW, 0, 0))
    await site.journal.record(judged(mail, (REFUSED, SENT)))
    await site.journal.drop(mail.envelope.id, NOW)
    shown_mail = (await shown(site, mail))["mails"][0]
    assert shown_mail["events"] == [
        {"at": "2026-03-04T05:06:07.890Z", "kind": "retried"},
        {"at": "2026-03-04T05:06:07.890Z", "kind": "dropped"},
    ]
    assert shown_mail["state"] == "dropped"
    assert [recipient["state"] for recipient in shown_mail["recipients"]] == ["dropped", "sent"]


def put_for(site: Site, alert: Alert, *receivers: str, state: EnvelopeState = EnvelopeState.OPEN) -> list[QueuedMail]:
    """Let an alert be in the journal with a mail for each of these receivers."""
    batch = make.alert_to(len(receivers), alert=alert, state=state)
    mails = [
        QueuedMail(envelope, batch.alerts[0], replace(LETTERHEAD, receiver=receiver), (Delivery(0), Delivery(1)))
        for envelope, receiver in zip(batch.envelopes, receivers, strict=True)
    ]
    site.journal.put(*mails)
    return mails


async def test_each_mail_is_shown_with_its_receiver(site: Site) -> None:
    """The default one has no name; the state is that of all of them."""
    first, second = put_for(site, Alert(subject="x", receivers=("default", "dba")), "", "dba")
    await site.journal.record(judged(first, (SENT, SENT)))
    await site.journal.record(judged(second, (REFUSED, REFUSED)))
    body = await shown(site, first)
    assert [(mail["receiver"], mail["state"]) for mail in body["mails"]] == [("", "sent"), ("dba", "failed")]
    assert (body["state"], body["receivers"]) == ("partly sent", ["default", "dba"])


async def test_any_attempt_shows_as_sending(site: Site) -> None:
    """Also when it is the second of two mails."""
    _, second = put_for(site, Alert(subject="x"), "", "dba")
    site.sending.add(second.envelope.id)
    assert (await shown(site, second))["state"] == "sending"
    assert (await site.get("/alerts")).json["alerts"][0]["state"] == "sending"


async def test_people_who_were_asked_for_are_shown(site: Site) -> None:
    """So that it can be seen why they had a mail."""
    (mail,) = put_for(site, Alert(subject="x", to=(Mailbox("ann@example.org", "Ann"),)), "")
    assert (await shown(site, mail))["to"] == ["ann@example.org"]


async def test_an_alert_that_is_kept_has_no_mail(site: Site) -> None:
    """It is on record, in a state of its own."""
    (mail,) = put_for(site, Alert(subject="x"), "", state=EnvelopeState.KEPT)
    body = await shown(site, mail)
    assert (body["state"], body["mails"]) == ("kept", [])
    assert [line["subject"] for line in (await site.get("/alerts?state=kept")).json["alerts"]] == ["x"]


async def test_an_id_may_be_written_as_people_do(site: Site) -> None:
    """Lower case, or O for 0, find the same alert."""
    mail = await put(site)
    written = format_id(mail.accepted.id).lower().replace("0", "O")
    assert (await site.get(f"/alerts/{written}")).json["id"] == format_id(mail.accepted.id)


@pytest.mark.parametrize("text", ["0000000000000", "nothing", "ZZZZZZZZZZZZZ", "ß" * 13], ids=ascii)
async def test_an_unknown_alert_is_404(site: Site, text: str) -> None:
    """A wrong id and one that is not there look alike: a problem document, no trace of the program."""
    answer = await site.get(f"/alerts/{text}")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json["title"] == "Not Found"
    assert answer.json["status"] == 404


# The list


async def test_the_list_begins_with_the_newest(site: Site) -> None:
    """A line each, without what the whole alert would show."""
    await put(site, subject="older")
    await put(site, SENT, SENT, subject="newer", source="cron")
    lines = (await site.get("/alerts")).json["alerts"]
    assert [line["subject"] for line in lines] == ["newer", "older"]
    assert lines[0].keys() == {"id", "received_at", "state", "severity", "status", "subject", "source"}
    assert (lines[0]["state"], lines[0]["source"], lines[0]["severity"]) == ("sent", "cron", "warning")


async def test_the_cursor_leads_to_the_end(site: Site) -> None:
    """`next` is null on the last page."""
    mails = [await put(site) for _ in range(5)]
    seen, target = [], "/alerts?limit=2"
    while True:
        body = (await site.get(target)).json
        seen += [line["id"] for line in body["alerts"]]
        if body["next"] is None:
            break
        target = f"/alerts?limit=2&cursor={body['next']}"
    assert seen == [format_id(mail.accepted.id) for mail in reversed(mails)]


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("state=sent", ["sent"]),
        ("state=partly%20sent", ["partly"]),
        ("state=failed", ["failed"]),
        ("state=queued", ["new"]),
        ("state=sending", ["new"]),
        ("severity=critical", ["failed"]),
        ("state=sent&severity=critical", []),
    ],
)
async def test_the_list_can_be_filtered(site: Site, query: str, subjects: list[str]) -> None:
    """By state and severity, in the words that the list itself uses."""
    await put(site, subject="new")
    await put(site, SENT, SENT, subject="sent")
    await put(site, SENT, REFUSED, subject="partly")
    await put(site, REFUSED, REFUSED, alert=replace(FULL, subject="failed"))
    lines = (await site.get(f"/alerts?{query}")).json["alerts"]
    assert [line["subject"] for line in lines] == subjects


@pytest.mark.parametrize("cursor", ["1", "nothing", "ZZZZZZZZZZZZZ", "%00", "000000000000%C3%9F"])
async def test_a_cursor_that_is_none_of_ours_is_told(site: Site, cursor: str) -> None:
    """400 with the remedy, and without what was sent."""
    answer = await site.get(f"/alerts?cursor={cursor}")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "`next` of a page" in answer.json["detail"]
    assert cursor not in answer.json["detail"]


WRONG = ["limit=0", "limit=501", "limit=many", "state=lost", "severity=hunter2"]


@pytest.mark.parametrize("query", WRONG)
async def test_a_wrong_parameter_is_told(site: Site, query: str) -> None:
    """422 names the parameter, and does not repeat its value."""
    name = query.partition("=")[0]
    answer = await site.get(f"/alerts?{query}")
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json["errors"][0]["pointer"] == f"/query/{name}"
    assert "hunter2" not in answer.body.decode()


async def test_all_wrong_parameters_are_told_at_once(site: Site) -> None:
    """Nobody corrects one error only to meet the next."""
    answer = await site.get(f"/alerts?{'&'.join(['limit=0', 'state=lost', 'severity=bad'])}")
    assert {error["pointer"] for error in answer.json["errors"]} == {"/query/limit", "/query/state", "/query/severity"}


async def test_a_deferred_mail_is_listed_as_queued(site: Site) -> None:
    """It waits like a new one."""
    mail = await put(site, DEFERRED, DEFERRED)
    assert site.journal.entries[mail.envelope.id].state is EnvelopeState.OPEN
    assert site.journal.entries[mail.envelope.id].mail.envelope.due_at > NOW + timedelta(seconds=1)
    assert (await site.get("/alerts")).json["alerts"][0]["state"] == "queued"


async def test_the_examples_in_the_openapi_document_are_true(site: Site) -> None:
    """They have the fields of the answers that are not null, down to the recipient."""
    mail = await put(site, REFUSED, REFUSED, alert=replace(FULL, attachments=(DF,)))
    (line,) = (await site.get("/alerts")).json["alerts"]
    body = await shown(site, mail)
    paths = site.document["paths"]
    listed = paths["/alerts"]["get"]["responses"]["200"]["content"]["application/json"]["example"]["alerts"][0]
    alert = paths["/alerts/{alert_id}"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    assert listed.keys() == line.keys()
    assert alert.keys() == body.keys()
    assert alert["attachments"][0].keys() == body["attachments"][0].keys()
    assert alert["mails"][0].keys() == body["mails"][0].keys() - {"next_attempt_at"}
    assert alert["mails"][0]["recipients"][0].keys() == body["mails"][0]["recipients"][0].keys()
