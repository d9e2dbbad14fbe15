"""The mail about a relay goes over the others, each after the one before has failed at it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from app.delivery.direct import DirectSender
from app.delivery.direct_alarm import DirectAlarm
from app.domain.address import Mailbox
from app.domain.alert import Alert
from app.domain.ids import IdSource
from app.domain.login import Login
from app.mail.compose import Composer
from app.mail.message_id import MessageIds
from tests.support.clock import FakeClock
from tests.support.mails import LETTERHEAD, MADE_AT, read_mail
from tests.support.scripted_sending import approach_to
from tests.support.scripted_smtp import ScriptedSmtp

KEY = b"k" * 32
ALARM = Alert(subject="Mail over the relay mx1 does not arrive")
LETTERHEAD_OF_ALARMS = replace(
    LETTERHEAD, recipients=(Mailbox("ops@example.org"), Mailbox("boss@example.org")), is_alarm=True
)
PASSWORD = "s3cret-pa55"


@pytest.fixture
async def relays() -> AsyncIterator[Sequence[ScriptedSmtp]]:
    """Three relays that take everything: mx1, mx2 and mx3."""
    async with ScriptedSmtp() as first, ScriptedSmtp() as second, ScriptedSmtp() as third:
        yield first, second, third


def direct_alarm(relays: Sequence[ScriptedSmtp], *, login: Login | None = None) -> DirectAlarm:
    """Return what sends over these, in order."""
    approaches = [approach_to(relay, name=f"mx{number}", login=login) for number, relay in enumerate(relays, start=1)]
    return DirectAlarm(
        sender=DirectSender(approaches),
        composer=Composer(mac_key=KEY),
        letterhead=LETTERHEAD_OF_ALARMS,
        ids=IdSource(),
        clock=FakeClock(at=MADE_AT),
    )


def mails_at(relays: Sequence[ScriptedSmtp]) -> list[list[tuple[str, ...]]]:
    """Return to whom each relay got mails."""
    return [[mail.recipients for mail in relay.mails] for relay in relays]


BOTH, BOSS = ("ops@example.org", "boss@example.org"), ("boss@example.org",)


async def test_the_mail_takes_the_first_other_relay(relays: Sequence[ScriptedSmtp]) -> None:
    """And no second one, once it is taken."""
    assert await direct_alarm(relays).send(ALARM, "mx1")
    assert mails_at(relays) == [[], [BOTH], []]


async def test_it_is_a_mail_of_ours(relays: Sequence[ScriptedSmtp]) -> None:
    """As those of the queue are: under the letterhead of alarms, and proved by its MAC."""
    await direct_alarm(relays).send(ALARM, "mx1")
    mail = read_mail(relays[1].mails[0].data)
    assert (mail["Subject"], mail["To"]) == (f"[web1] {ALARM.subject}", ", ".join(BOTH))
    assert MessageIds(KEY).verify(mail["Message-ID"]) is not None


async def test_a_relay_that_fails_gives_way_to_the_next(relays: Sequence[ScriptedSmtp]) -> None:
    """Whatever its fault."""
    relays[1].script("MAIL", "451 4.3.0 later")
    assert await direct_alarm(relays).send(ALARM, "mx1")
    assert mails_at(relays) == [[], [], [BOTH]]


async def test_who_has_the_mail_does_not_get_it_from_the_next(relays: Sequence[ScriptedSmtp]) -> None:
    """Only those go on who still wait."""
    relays[1].script("RCPT", ["250 ok", "450 4.2.1 later"])
    assert await direct_alarm(relays).send(ALARM, "mx1")
    assert mails_at(relays) == [[], [BOTH[:1]], [BOSS]]


@pytest.mark.parametrize(("reply", "settled"), [("550 5.1.1 no such user", True), ("450 4.2.1 later", False)])
async def test_a_mail_that_somebody_waits_for_is_not_settled(
    relays: Sequence[ScriptedSmtp], reply: str, settled: bool
) -> None:
    """The queue tries again, where this does not; one who is refused everywhere would be refused there too."""
    for relay in relays:
        relay.script("RCPT", lambda line: reply if "boss" in line else None)
    assert await direct_alarm(relays).send(ALARM, "mx1") is settled


async def test_the_only_relay_is_no_way_out(relays: Sequence[ScriptedSmtp]) -> None:
    """Then the alarm has to take its chance in the queue."""
    assert not await direct_alarm(relays[:1]).send(ALARM, "mx1")
    assert mails_at(relays) == [[], [], []]


async def test_no_password_stands_in_the_log(relays: Sequence[ScriptedSmtp]) -> None:
    """Not even where the relay repeats it."""
    async with ScriptedSmtp(capabilities=("AUTH PLAIN",), AUTH=f"535 5.7.8 {PASSWORD} is wrong") as server:
        with capture_logs() as logs:
            alarm = direct_alarm([relays[0], server], login=Login("ops", PASSWORD))
            assert not await alarm.send(ALARM, "mx1")
    assert [line["event"] for line in logs] == ["alarm_not_sent_directly"]
    assert PASSWORD not in str(logs)
