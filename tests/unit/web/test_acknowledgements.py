"""`/alerts/{id}/ack`: people and tools acknowledge an alert over HTTP."""

import json
from datetime import timedelta
from typing import Any

import pytest

from app.domain.access import Principal
from app.domain.acknowledgement import AckAction, AckDoor, AckEvent
from app.domain.ids import format_id
from app.domain.report import AlertReport
from tests.support.clock import NOW
from tests.support.factories import Factory
from tests.support.web_site import Answer, Site

make = Factory()
AT = "2026-03-04T05:06:07.890Z"
IN_TWO_HOURS = "2026-03-04T07:06:07.890Z"


def put(site: Site) -> str:
    """Let an alert be in the journal; return its id as people write it."""
    mail = make.mail()
    site.journal.put(mail)
    return format_id(mail.accepted.id)


async def acknowledge(site: Site, alert: str, body: Any = None, **of: Any) -> Answer:
    """Return the answer to a post with this body, as JSON unless it is bytes."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    return await site.get(f"/alerts/{alert}/ack", method="POST", body=sent, **of)


async def report_on(site: Site) -> AlertReport:
    """Return what is known of the one alert."""
    (entry,) = site.journal.entries.values()
    report = await site.journal.find(entry.mail.accepted.id)
    assert report is not None
    return report


async def test_a_post_without_a_body_has_no_end(site: Site) -> None:
    """`curl -X POST` is all that it takes."""
    alert = put(site)
    answer = await acknowledge(site, alert)
    assert answer.status == 200
    assert answer.json == {
        "id": alert,
        "acknowledged": {"who": "somebody", "at": AT, "until": None, "how": "http"},
    }
    event = AckEvent(at=NOW, action=AckAction.ACKNOWLEDGED, who="somebody", how=AckDoor.HTTP)
    assert (await report_on(site)).acknowledgements == (event,)


ENDS = {
    "for": {"for": "2h"},
    "until": {"until": "2026-03-04T07:06:07.890Z"},
    "until in another zone": {"until": "2026-03-04T12:36:07.890+05:30"},
    "the other one is null": {"for": "2h", "until": None},
}


@pytest.mark.parametrize("body", ENDS.values(), ids=ENDS.keys())
async def test_it_ends_when_the_body_says(site: Site, body: dict[str, str]) -> None:
    """After a time, or at one."""
    answer = await acknowledge(site, put(site), body)
    assert answer.json["acknowledged"]["until"] == IN_TWO_HOURS
    assert (await report_on(site)).acknowledgements[0].until == NOW + timedelta(hours=2)


WHO = {
    "named": ({"who": "ann", "how": "command"}, "ops-laptop", ("ann", "command")),
    "on one line": ({"who": " ann\r\nBcc: x "}, "ops-laptop", ("ann Bcc: x", "http")),
    "the token": ({}, "ops-laptop", ("ops-laptop", "http")),
    "an empty name": ({"who": " "}, "ops-laptop", ("ops-laptop", "http")),
    "nobody": ({}, "", ("somebody", "http")),
}


@pytest.mark.parametrize(("body", "token", "expected"), WHO.values(), ids=WHO.keys())
async def test_who_it_was_is_told(site: Site, body: dict[str, str], token: str, expected: tuple[str, str]) -> None:
    """The name that is given, else that of the token."""
    answer = await acknowledge(site, put(site), body, principal=Principal(name=token))
    held = answer.json["acknowledged"]
    assert (held["who"], held["how"]) == expected


WRONG = {
    "both times": ({"for": "2h", "until": IN_TWO_HOURS}, "/body/until", "keep one of them"),
    "no unit": ({"for": "hunter2"}, "/body/for", "write a number and a unit"),
    "no text": ({"for": 2}, "/body/for", "write a number and a unit"),
    "no time": ({"for": "0s"}, "/body/for", "is over already"),
    "the past": ({"until": AT}, "/body/until", "is over already"),
    "too long": ({"for": "31d"}, "/body/for", "ends later than in 30d"),
    "far too long": ({"for": "999999999d"}, "/body/for", "ends later than in 30d"),
    "too late": ({"until": "9999-12-31T23:59:59-14:00"}, "/body/until", "ends later than in 30d"),
    "long over": ({"until": "0001-01-01T00:00:00+14:00"}, "/body/until", "is over already"),
    "no zone": ({"until": "2026-03-04T07:06:07"}, "/body/until", "timezone"),
    "a long name": ({"who": "x" * 255}, "/body/who", "254"),
    "another door": ({"how": "reply"}, "/body/how", "'http' or 'command'"),
    "another field": ({"hours": 2}, "/body/hours", "not permitted"),
    "no object": ([], "/body", "object"),
    "no JSON": (b"for=2h", "/body", "Invalid JSON"),
    "no UTF-8": (b'{"who": "\xff"}', "/body", "Invalid JSON"),
}


@pytest.mark.parametrize(("body", "pointer", "reason"), WRONG.values(), ids=WRONG.keys())
async def test_what_is_wrong_is_told(site: Site, body: Any, pointer: str, reason: str) -> None:
    """422 names the field and the remedy, does not repeat what was sent, and records nothing."""
    answer = await acknowledge(site, put(site), body)
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    (error,) = answer.json["errors"]
    assert error["pointer"].removesuffix("/") == pointer
    assert reason in error["detail"]
    assert "hunter2" not in answer.body.decode()
    assert (await report_on(site)).acknowledgements == ()


async def test_a_body_that_is_too_large_is_not_read(site: Site) -> None:
    """A name and a time need no more than 4 KiB."""
    answer = await acknowledge(site, put(site), b" " * 4097)
    assert (answer.status, answer.json["type"]) == (413, "/problems/content-too-large")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("alert", ["0000000000000", "nothing"])
async def test_an_unknown_alert_is_404(site: Site, method: str, alert: str) -> None:
    """A wrong id and one that is not there look alike."""
    answer = await site.get(f"/alerts/{alert}/ack", method=method)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_it_can_be_taken_back(site: Site) -> None:
    """Who did so is on the record, too."""
    alert = put(site)
    await acknowledge(site, alert, {"who": "ann"})
    answer = await site.get(f"/alerts/{alert}/ack?who=bob&how=command", method="DELETE")
    assert (answer.status, answer.json) == (200, {"id": alert, "acknowledged": None})
    event = (await report_on(site)).acknowledgements[-1]
    assert (event.action, event.who, event.how) == (AckAction.TAKEN_BACK, "bob", AckDoor.COMMAND)


async def test_taking_back_tells_the_token_by_default(site: Site) -> None:
    """As acknowledging does."""
    alert = put(site)
    await site.get(f"/alerts/{alert}/ack", method="DELETE", principal=Principal(name="ops-laptop"))
    assert (await report_on(site)).acknowledgements[-1].who == "ops-laptop"


async def test_a_wrong_door_is_told(site: Site) -> None:
    """Replies come by mail alone."""
    answer = await site.get(f"/alerts/{put(site)}/ack?how=reply", method="DELETE")
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/query/how")


async def test_other_methods_are_told_the_right_ones(site: Site) -> None:
    """405 names both."""
    answer = await site.get(f"/alerts/{put(site)}/ack")
    assert (answer.status, answer.headers["allow"]) == (405, "POST, DELETE")


async def test_the_alert_shows_who_sees_to_it(site: Site) -> None:
    """What stands now, and all that went before."""
    alert = put(site)
    await acknowledge(site, alert, {"who": "ann", "for": "1h"})
    await acknowledge(site, alert, {"who": "bob", "for": "2h"})
    body = (await site.get(f"/alerts/{alert}")).json
    bob = {"who": "bob", "at": AT, "until": IN_TWO_HOURS, "how": "http"}
    assert body["acknowledged"] == bob
    assert [event["who"] for event in body["acknowledgements"]] == ["ann", "bob"]
    assert body["acknowledgements"][1] == {"action": "acknowledged", **bob}


async def test_what_is_over_is_only_a_record(site: Site) -> None:
    """After its time nobody sees to the alert any more."""
    alert = put(site)
    await acknowledge(site, alert, {"for": "1h"})
    site.clock.pass_time(timedelta(hours=1))
    body = (await site.get(f"/alerts/{alert}")).json
    assert body["acknowledged"] is None
    assert len(body["acknowledgements"]) == 1


async def test_the_document_tells_what_to_send(site: Site) -> None:
    """The body with its fields, and an example of the answer that is true."""
    operation = site.document["paths"]["/alerts/{alert_id}/ack"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"].keys() == {"for", "until", "who", "how"}
    assert "required" not in schema
    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    answer = (await acknowledge(site, put(site), {"for": "2h"})).json
    assert example.keys() == answer.keys()
    assert example["acknowledged"].keys() == answer["acknowledged"].keys()
