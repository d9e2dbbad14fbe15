"""`/set-aside`: recipients whose mails bounced too often are seen, and released."""

from urllib.parse import quote

import pytest

from app.domain.bounce import BouncedRecipient, BounceKind, BounceReport
from app.domain.envelope import QueuedMail
from app.domain.mail_read import MailboxName, MailRead
from tests.support.clock import NOW
from tests.support.factories import SENT, Factory, judged
from tests.support.web_site import Site

make = Factory()
READ = MailRead(mailbox=MailboxName("box"), uid="1", at=NOW, what="bounce")


async def put_aside(site: Site) -> QueuedMail:
    """Let the first recipient of a mail be set aside by one bounce."""
    mail = make.mail()
    site.journal.put(mail)
    await site.journal.record(judged(mail, (SENT, SENT)))
    told = BouncedRecipient(
        kind=BounceKind.FAILED, address="ops@example.org", status="5.1.1", reply="550 no", remote="mx.example"
    )
    report = BounceReport(envelope_id=mail.envelope.id, recipients=(told,))
    await site.journal.mailbox.take_bounce(report, READ, set_aside_after=1, is_final=False)
    return mail


async def test_they_are_listed(site: Site) -> None:
    """Since when, after how many bounces, and what was said last."""
    await put_aside(site)
    assert (await site.get("/set-aside")).json == {
        "set_aside": [
            {"address": "ops@example.org", "bounces": 1, "since": "2026-03-04T05:06:07.890Z", "reply": "550 no"}
        ]
    }


async def test_one_is_released(site: Site) -> None:
    """However it is written; and who sends mail is told."""
    await put_aside(site)
    answer = await site.get("/set-aside/Ops@example.org", method="DELETE")
    assert (answer.status, answer.json) == (200, {"address": "Ops@example.org", "status": "released"})
    assert site.released == ["Ops@example.org"]
    assert (await site.get("/set-aside")).json == {"set_aside": []}


@pytest.mark.parametrize("address", ["boss@example.org", "a/b@example.org", "x"])
async def test_who_is_not_set_aside_is_404(site: Site, address: str) -> None:
    """And nobody is told of a change."""
    await put_aside(site)
    answer = await site.get(f"/set-aside/{quote(address, safe='@/')}", method="DELETE")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "mailalert queue aside" in answer.json["detail"]
    assert site.released == []


async def test_the_bounce_is_shown_with_the_alert(site: Site) -> None:
    """With the server behind the relay that said so."""
    mail = await put_aside(site)
    (line,) = (await site.get("/alerts")).json["alerts"]
    shown = (await site.get(f"/alerts/{line['id']}")).json["mails"][0]["recipients"]
    assert line["state"] == "partly sent"
    assert [(each["state"], each["remote"]) for each in shown] == [("bounced", "mx.example"), ("sent", "")]
    assert len(mail.deliveries) == len(shown)


async def test_the_examples_in_the_openapi_document_are_true(site: Site) -> None:
    """They have the fields of the answers."""
    await put_aside(site)
    paths = site.document["paths"]
    example = paths["/set-aside"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    assert example["set_aside"][0].keys() == (await site.get("/set-aside")).json["set_aside"][0].keys()
    released = paths["/set-aside/{address}"]["delete"]["responses"]["200"]["content"]["application/json"]["example"]
    answer = await site.get("/set-aside/ops@example.org", method="DELETE")
    assert released.keys() == answer.json.keys()
