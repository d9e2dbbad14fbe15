"""What every journal keeps of the answers that senders got."""

from datetime import timedelta

from app.domain.receipt import KEPT_FOR, Claim, KeptReceipt, Receipt, claim_of
from tests.support.clock import NOW
from tests.support.desk import Desk

RECEIPT = Receipt((1, 2), ("changed",), is_batch=True)


def kept(key: str, *, at: timedelta = timedelta(), receipt: Receipt = RECEIPT) -> KeptReceipt:
    """Return a receipt under a key, made `at` after NOW."""
    return KeptReceipt(claim_of(key, b"body", fingerprint=b"f"), receipt, NOW + at)


async def accept(desk: Desk, *receipts: KeptReceipt) -> None:
    """Accept an alert together with these receipts."""
    batch = desk.make.batch(1)
    await desk.journal.accept(batch.alerts, batch.envelopes, receipts)


async def test_a_receipt_is_found_under_its_key(desk: Desk) -> None:
    """With all that the sender was told, and what it had sent."""
    await accept(desk, kept("a"), kept("b", receipt=Receipt((3,))))
    keys = [kept(name).claim.key for name in ("a", "b", "c")]
    assert await desk.journal.receipts(keys) == {keys[0]: kept("a"), keys[1]: kept("b", receipt=Receipt((3,)))}


async def test_a_newer_receipt_takes_the_place_of_an_older_one(desk: Desk) -> None:
    """A key that was free again after its day has a new answer."""
    await accept(desk, kept("a"))
    newer = kept("a", at=KEPT_FOR, receipt=Receipt((9,)))
    await accept(desk, newer)
    assert await desk.journal.receipts([newer.claim.key]) == {newer.claim.key: newer}


async def test_what_has_had_its_day_is_forgotten(desk: Desk) -> None:
    """Step by step, until nothing is left to forget."""
    await accept(desk, kept("old"), kept("new", at=timedelta(seconds=1)))
    assert await desk.journal.forget_receipts(NOW + timedelta(seconds=1)) == 1
    assert await desk.journal.forget_receipts(NOW + timedelta(seconds=1)) == 0
    keys = [kept(name).claim.key for name in ("old", "new")]
    assert list(await desk.journal.receipts(keys)) == keys[1:]


def test_a_claim_on_one_of_many_names_its_id() -> None:
    """The answer to an event that comes again alone is the id that it had in the batch."""
    assert Claim(b"k", b"d", position=1).ids_of([7, 8, 9]) == (8,)
    assert Claim(b"k", b"d").ids_of([7, 8, 9]) == (7, 8, 9)
