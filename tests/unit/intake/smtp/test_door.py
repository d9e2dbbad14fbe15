"""The SMTP door: what the client is told of its mail, and when."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.access import Principal
from app.domain.alert import Alert
from app.domain.errors import JournalUnavailable
from app.domain.ids import format_id
from app.intake.smtp.door import LARGE, DoorRules, SmtpDoor
from app.mail.compose import Composer
from app.mail.message_id import MessageIds
from app.smtpd.mail import ReceivedMail
from tests.support.clock import NOW
from tests.support.fake_once import FakeOnce
from tests.support.mails import queued_mail

KEY = b"the key of these tests"
MAIL = ReceivedMail(
    mail_from="root@db1",
    recipients=("DBA+critical@alerts",),
    data=b"From: root@db1\r\nSubject: backup failed\r\n\r\nno space left\r\n",
    peer="192.0.2.7",
    received_at=NOW,
)
NAMED = replace(MAIL, data=b"Message-ID: <1@db1>\r\nDate: Mon, 23 Nov 2026 06:00:00 +0000\r\n" + MAIL.data)


class Site:
    """A door with what stands behind it."""

    def __init__(self) -> None:
        self.once = FakeOnce(first_id=4711)
        self.closed = False
        rules = DoorRules(
            anybody=Principal(),
            receivers=("default", "dba"),
            attachments_limit=1 << 20,
            is_ours=MessageIds(KEY).is_ours,
        )
        self.door = SmtpDoor(self.once, rules=rules, is_closed=lambda: self.closed)


@pytest.fixture
def site() -> Site:
    return Site()


async def test_a_mail_is_answered_with_the_id_of_its_alert(site: Site) -> None:
    """250 names what `GET /alerts/{id}` finds."""
    assert await site.door.receive(MAIL) == f"250 2.0.0 Accepted as {format_id(4711)}"
    (alert,) = site.once.alerts
    assert (alert.subject, alert.source, alert.receivers) == ("backup failed", "root@db1", ("dba",))


async def test_nothing_is_said_before_the_alert_is_durable(site: Site) -> None:
    """The reply waits for the journal."""
    site.once.open.clear()
    reply = asyncio.create_task(site.door.receive(MAIL))
    await site.once.asked.wait()
    done, _ = await asyncio.wait([reply], timeout=0.01)
    assert not done
    site.once.open.set()
    assert (await reply).startswith("250 ")


async def test_a_journal_that_cannot_take_it_is_451(site: Site) -> None:
    """The client keeps the mail, and tries again."""
    site.once.fault = JournalUnavailable("disk full", retry_after=timedelta(seconds=1))
    assert (await site.door.receive(MAIL)).startswith("451 4.3.0 ")


async def test_a_closed_intake_is_421(site: Site) -> None:
    """Before the mail is read, and also where the intake closes meanwhile."""
    site.once.fault = JournalUnavailable("the daemon is shutting down")
    site.once.open.clear()
    reply = asyncio.create_task(site.door.receive(MAIL))
    await site.once.asked.wait()
    site.closed = True
    site.once.open.set()
    assert (await reply).startswith("421 4.3.2 ")
    assert (await site.door.receive(MAIL)).startswith("421 4.3.2 ")


async def test_a_loop_is_stopped_and_counted(site: Site) -> None:
    """554 5.4.6, for it would come again for ever; no alert is made of it."""
    ours = Composer(mac_key=KEY).render(queued_mail(Alert(subject="disk full")))
    assert (await site.door.receive(replace(MAIL, data=ours))).startswith("554 5.4.6 ")
    assert (site.door.loops_stopped, site.once.alerts) == (1, [])


@pytest.mark.parametrize(
    ("changes", "source"),
    [
        ({}, "root@db1"),
        ({"mail_from": ""}, "192.0.2.7"),
        ({"principal": Principal(name="ups", source="ups-1")}, "ups-1"),
    ],
    ids=["envelope", "address", "token"],
)
async def test_a_mail_without_from_has_a_source_all_the_same(site: Site, changes: dict, source: str) -> None:
    """That of the token, else the envelope's sender, else the client's address."""
    await site.door.receive(replace(MAIL, data=b"Subject: x\r\n\r\n", **changes))
    assert site.once.alerts[0].source == source


async def test_a_mail_with_an_identity_is_taken_once(site: Site) -> None:
    """A client that missed our 250 sends the same octets again, and they have the same claim."""
    await site.door.receive(NAMED)
    await site.door.receive(NAMED)
    first, second = site.once.claims
    assert first == second


@pytest.mark.parametrize(
    "other",
    [
        replace(NAMED, data=NAMED.data + b"more\r\n"),
        replace(NAMED, recipients=("ops@alerts",)),
        replace(NAMED, mail_from="other@db1"),
        replace(NAMED, principal=Principal(fingerprint=b"f")),
    ],
    ids=["text", "recipients", "sender", "token"],
)
async def test_another_mail_has_another_claim(site: Site, other: ReceivedMail) -> None:
    """Whatever differs makes it one of its own, even under one Message-ID."""
    await site.door.receive(NAMED)
    await site.door.receive(other)
    assert site.once.claims[0].key != site.once.claims[1].key


async def test_a_mail_without_an_identity_is_always_new(site: Site) -> None:
    """A device says the same words each time, and each time it means them."""
    await site.door.receive(MAIL)
    await site.door.receive(MAIL)
    assert (len(site.once.alerts), site.once.claims) == (2, [])


async def test_a_large_mail_is_read_beside_the_loop(site: Site) -> None:
    """It comes through whole; others are served meanwhile."""
    large = replace(MAIL, data=MAIL.data + b"a line of the log\r\n" * (2 * LARGE // 19))
    replies = await asyncio.gather(site.door.receive(large), site.door.receive(MAIL))
    assert all(reply.startswith("250 ") for reply in replies)
    site.door.close()
