"""`/dead-letters`: what failed can be looked at, sent again and dropped."""

from typing import Any

import pytest

from app.domain.envelope import EnvelopeState, QueuedMail
from app.domain.ids import format_id
from tests.support.clock import NOW
from tests.support.factories import REFUSED, SENT, Factory, judged
from tests.support.web_site import Site

make = Factory()
NOBODY = format_id(1)


async def failed(site: Site, *, subject: str = "disk full", partly: bool = False) -> QueuedMail:
    """Let a mail be in the journal that was refused to its second recipient, or to both."""
    mail = make.mail(subject=subject)
    site.journal.put(mail)
    await site.journal.record(judged(mail, (SENT if partly else REFUSED, REFUSED)))
    return mail


async def listed(site: Site) -> list[str]:
    """Return the ids in the list."""
    return [letter["id"] for letter in (await site.get("/dead-letters")).json["dead_letters"]]


def letter_path(mail: QueuedMail, action: str = "") -> str:
    """Return where the mail is found as a dead letter."""
    return f"/dead-letters/{format_id(mail.envelope.id)}{action}"


async def test_a_dead_letter_tells_who_did_not_get_it_and_why(site: Site) -> None:
    """Only the recipients for whom it failed, each with a sentence for people."""
    mail = await failed(site, partly=True)
    (letter,) = (await site.get("/dead-letters")).json["dead_letters"]
    (recipient,) = letter.pop("recipients")
    assert letter == {
        "id": format_id(mail.envelope.id),
        "alert_id": format_id(mail.accepted.id),
        "failed_at": "2026-03-04T05:06:07.890Z",
        "severity": "warning",
        "subject": "disk full",
    }
    assert (recipient["address"], recipient["state"]) == ("boss@example.org", "refused")
    assert recipient["text"] == "the relay refused the recipient (550 5.1.1), not retried"
    assert recipient["reply"] == "550 5.1.1 no such user"


async def test_the_list_begins_with_the_newest_and_the_cursor_leads_on(site: Site) -> None:
    """`next` is null on the last page."""
    mails = [await failed(site) for _ in range(3)]
    first = (await site.get("/dead-letters?limit=2")).json
    second = (await site.get(f"/dead-letters?limit=2&cursor={first['next']}")).json
    seen = [letter["id"] for letter in first["dead_letters"] + second["dead_letters"]]
    assert seen == [format_id(mail.envelope.id) for mail in reversed(mails)]
    assert second["next"] is None


async def test_what_was_sent_or_waits_is_no_dead_letter(site: Site) -> None:
    """The list is for what somebody has to look at."""
    waits, sent = make.mail(), make.mail()
    site.journal.put(waits, sent)
    await site.journal.record(judged(sent, (SENT, SENT)))
    assert await listed(site) == []


async def test_one_can_be_sent_again(site: Site) -> None:
    """Its failed recipients wait again with a lifetime that begins anew, and the queue is told."""
    mail = await failed(site, partly=True)
    answer = await site.get(letter_path(mail, "/retry"), method="POST")
    assert (answer.status, answer.json) == (202, {"id": format_id(mail.envelope.id), "status": "queued"})
    entry = site.journal.entries[mail.envelope.id]
    assert (entry.state, entry.mail.envelope.due_at) == (EnvelopeState.OPEN, NOW)
    assert (entry.mail.envelope.usable_seconds, entry.mail.envelope.running_seconds) == (7, 8)
    assert [delivery.position for delivery in entry.mail.pending] == [1]
    assert site.woken == 1


async def test_one_can_be_named_by_its_alert(site: Site) -> None:
    """The answer repeats the id that was asked for."""
    mail = await failed(site)
    number = format_id(mail.accepted.id)
    answer = await site.get(f"/dead-letters/{number}/retry", method="POST")
    assert (answer.status, answer.json) == (202, {"id": number, "status": "queued"})
    assert site.journal.entries[mail.envelope.id].state is EnvelopeState.OPEN


async def test_all_can_be_sent_again_the_oldest_first(site: Site) -> None:
    """`next` leads from step to step, and each is retried once."""
    mails = [await failed(site) for _ in range(3)]
    first = await site.get("/dead-letters/retry?limit=2", method="POST")
    assert (first.status, first.json) == (202, {"retried": 2, "next": format_id(mails[1].envelope.id)})
    assert await listed(site) == [format_id(mails[2].envelope.id)]
    second = await site.get(f"/dead-letters/retry?limit=2&cursor={first.json['next']}", method="POST")
    assert second.json == {"retried": 1, "next": None}
    assert site.woken == 2


async def test_one_can_be_dropped(site: Site) -> None:
    """It is no dead letter any more, and the record keeps what happened."""
    mail = await failed(site)
    answer = await site.get(letter_path(mail), method="DELETE")
    assert (answer.status, answer.json) == (200, {"id": format_id(mail.envelope.id), "status": "dropped"})
    assert await listed(site) == []
    alert = (await site.get(f"/alerts/{format_id(mail.accepted.id)}")).json
    assert (alert["state"], alert["mails"][0]["events"][0]["kind"]) == ("dropped", "dropped")
    assert alert["mails"][0]["recipients"][0]["text"].endswith("(550 5.1.1), dropped by hand")


@pytest.mark.parametrize(("method", "action"), [("POST", "/retry"), ("DELETE", "")], ids=["retry", "drop"])
@pytest.mark.parametrize("text", [NOBODY, "nothing", "ß" * 13], ids=ascii)
async def test_what_is_no_dead_letter_is_404(site: Site, method: str, action: str, text: str) -> None:
    """With where to look for one."""
    answer = await site.get(f"/dead-letters/{text}{action}", method=method)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "mailalert queue list --state failed" in answer.json["detail"]
    assert site.woken == 0


@pytest.mark.parametrize(("method", "action"), [("POST", "/retry"), ("DELETE", "")], ids=["retry", "drop"])
async def test_a_mail_that_waits_is_left_alone(site: Site, method: str, action: str) -> None:
    """Only what has failed can be sent again or dropped."""
    mail = make.mail()
    site.journal.put(mail)
    assert (await site.get(letter_path(mail, action), method=method)).status == 404


@pytest.mark.parametrize("path", ["/dead-letters/retry", None], ids=["all", "one"])
async def test_a_full_journal_is_told(site: Site, path: str | None) -> None:
    """503 with when to come back, and nothing is lost."""
    mail = await failed(site)
    site.journal.put(*(make.mail() for _ in range(10)))
    answer = await site.get(path or letter_path(mail, "/retry"), method="POST")
    assert (answer.status, answer.headers["retry-after"]) == (503, "10")
    assert await listed(site) == [format_id(mail.envelope.id)]


@pytest.mark.parametrize(("path", "method"), [("/dead-letters", "GET"), ("/dead-letters/retry", "POST")])
async def test_wrong_parameters_are_told(site: Site, path: str, method: str) -> None:
    """A cursor of somebody else is 400, a limit out of bounds 422, and neither does anything."""
    await failed(site)
    assert (await site.get(f"{path}?cursor=nothing", method=method)).status == 400
    assert (await site.get(f"{path}?limit=501", method=method)).status == 422
    assert len(await listed(site)) == 1


async def test_the_openapi_document_is_true(site: Site) -> None:
    """The examples have the fields of the answers, and each route names its refusals."""
    await failed(site)
    answer: Any = (await site.get("/dead-letters")).json
    paths = site.document["paths"]
    example = paths["/dead-letters"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    assert answer.keys() == example.keys()
    assert answer["dead_letters"][0].keys() == example["dead_letters"][0].keys()
    assert answer["dead_letters"][0]["recipients"][0].keys() == example["dead_letters"][0]["recipients"][0].keys()
    assert paths["/dead-letters/{letter_id}/retry"]["post"]["responses"].keys() >= {"202", "404", "503"}
    assert paths["/dead-letters/{letter_id}"]["delete"]["responses"].keys() >= {"200", "404"}
