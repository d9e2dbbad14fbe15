"""When every journal sets a recipient aside, and for how long."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.domain.address import Mailbox
from app.domain.bounce import BOUNCE_MEMORY, BouncedRecipient, BounceKind, BounceReport, SetAsideAddress
from app.domain.mail_read import MailboxName, MailRead
from app.domain.ports import FreshStart
from tests.support.clock import NOW
from tests.support.desk import Desk
from tests.support.factories import LETTERHEAD, SENT, due_query, judged

OPS, BOSS = (mailbox.address for mailbox in LETTERHEAD.recipients)
GONE = "5.1.1"
DAY = timedelta(days=1)


async def sent(desk: Desk) -> int:
    """Return a mail that the relay took for both recipients."""
    batch = await desk.post()
    await send_again(desk, batch.envelopes[0].id)
    return batch.envelopes[0].id


async def send_again(desk: Desk, envelope: int) -> None:
    """Let the relay take what waits of the mail."""
    (mail,) = [m for m in await desk.journal.due(due_query(until=NOW + 400 * DAY)) if m.envelope.id == envelope]
    await desk.journal.record(judged(mail, [SENT] * len(mail.pending)))


async def bounce(
    desk: Desk,
    envelope: int,
    *addresses: str,
    after: int = 2,
    status: str = GONE,
    kind: BounceKind = BounceKind.FAILED,
    at: datetime = NOW,
) -> tuple[str, ...]:
    """Return which addresses a report on these recipients sets aside."""
    told = tuple(
        BouncedRecipient(kind=kind, address=address, status=status, reply=f"550 {status}") for address in addresses
    )
    effect = await desk.journal.mailbox.take_bounce(
        BounceReport(envelope_id=envelope, recipients=told),
        MailRead(mailbox=MailboxName("box"), uid="1", at=at, what="bounce"),
        set_aside_after=after,
        is_final=False,
    )
    assert effect is not None
    return tuple(entry.address for entry in effect.counted_out)


async def test_an_address_is_set_aside_by_one_bounce_too_many(desk: Desk) -> None:
    """Told once; the list says since when and why."""
    told = [await bounce(desk, await sent(desk), OPS, after=3, at=NOW + day * DAY) for day in range(4)]
    assert told == [(), (), (OPS,), ()]
    assert await desk.journal.mailbox.set_aside() == [SetAsideAddress(OPS, 4, NOW + 2 * DAY, f"550 {GONE}")]


async def test_the_first_bounce_may_be_enough(desk: Desk) -> None:
    """For both recipients of one report; they are listed in the order of their addresses."""
    assert await bounce(desk, await sent(desk), OPS, BOSS, after=1) == (OPS, BOSS)
    assert [entry.address for entry in await desk.journal.mailbox.set_aside()] == [BOSS, OPS]


async def test_nobody_is_set_aside_where_that_is_not_wanted(desk: Desk) -> None:
    """0 is never."""
    assert [await bounce(desk, await sent(desk), OPS, after=0) for _ in range(5)] == [()] * 5
    assert await desk.journal.mailbox.set_aside() == []


async def test_what_bounced_before_counts_where_it_is_wanted_later(desk: Desk) -> None:
    """The next bounce sets aside."""
    for _ in range(3):
        await bounce(desk, await sent(desk), OPS, after=0)
    assert await bounce(desk, await sent(desk), OPS, after=2) == (OPS,)


async def test_a_mail_counts_once(desk: Desk) -> None:
    """Also when it was sent again, and came back again."""
    envelopes = [await sent(desk), await sent(desk)]
    for envelope in envelopes:
        await bounce(desk, envelope, OPS, after=3)
    for envelope in envelopes:
        assert await desk.journal.retry(envelope, FreshStart(NOW, 0, 0))
        await send_again(desk, envelope)
        assert await bounce(desk, envelope, OPS, after=3) == ()
    assert await bounce(desk, await sent(desk), OPS, after=3) == (OPS,)


SOFT = {
    "a full mailbox": ("5.2.2", BounceKind.FAILED),
    "a policy": ("5.7.1", BounceKind.FAILED),
    "a delay": ("4.4.1", BounceKind.DELAYED),
}


@pytest.mark.parametrize(("status", "kind"), SOFT.values(), ids=SOFT.keys())
async def test_what_may_be_other_tomorrow_does_not_count(desk: Desk, status: str, kind: BounceKind) -> None:
    """Only an address that is of no use does."""
    assert await bounce(desk, await sent(desk), OPS, after=1, status=status, kind=kind) == ()
    assert await desk.journal.mailbox.set_aside() == []


async def test_a_released_address_begins_anew(desk: Desk) -> None:
    """Its bounces count from then on; a second release finds nothing."""
    await bounce(desk, await sent(desk), OPS, after=1)
    released = [await desk.journal.mailbox.release(OPS.upper()), await desk.journal.mailbox.release(OPS)]
    assert released == [True, False]
    assert await desk.journal.mailbox.set_aside() == []
    assert await bounce(desk, await sent(desk), OPS, after=2) == ()
    assert await bounce(desk, await sent(desk), OPS, after=2) == (OPS,)


async def test_an_address_that_is_not_set_aside_cannot_be_released(desk: Desk) -> None:
    """Its bounces are still counted."""
    await bounce(desk, await sent(desk), OPS, after=2)
    assert not await desk.journal.mailbox.release(OPS)
    assert await bounce(desk, await sent(desk), OPS, after=2) == (OPS,)


async def test_capital_letters_make_no_other_address(desk: Desk) -> None:
    """Two spellings in two mails are one person."""
    spelled = Mailbox(OPS.title())
    letterhead = await desk.journal.keep(replace(LETTERHEAD, recipients=(spelled, LETTERHEAD.recipients[1])))
    await bounce(desk, await sent(desk), OPS, after=2)
    desk.make.letterhead_id = letterhead
    assert await bounce(desk, await sent(desk), OPS, after=2) == (OPS,)
    assert [entry.address for entry in await desk.journal.mailbox.set_aside()] == [OPS]


async def test_bounces_of_long_ago_do_not_count(desk: Desk) -> None:
    """An address that bounces once a season works in between."""
    first = await sent(desk)
    later = NOW + BOUNCE_MEMORY + DAY
    assert await bounce(desk, first, OPS, at=NOW) == ()
    batch = await desk.post(at=later)
    await send_again(desk, batch.envelopes[0].id)
    assert await bounce(desk, batch.envelopes[0].id, OPS, at=later) == ()


async def test_the_bounce_of_an_old_mail_counts_for_now(desk: Desk) -> None:
    """A mail that was made long ago may have been sent again yesterday; the next count goes without it."""
    old = await sent(desk)
    assert await bounce(desk, old, OPS, at=NOW + BOUNCE_MEMORY + DAY, after=1) == (OPS,)
