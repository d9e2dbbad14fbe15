"""How many mails are on their way at once."""

from hypothesis import given
from hypothesis import strategies as st

from app.mailbox.imap_link import PIECE
from app.mailbox.imap_session import BATCH_BYTES, batches

SIZES = st.dictionaries(st.integers(1, 10**6).map(str), st.integers(0, 3 * PIECE), max_size=50)


@given(SIZES)
def test_every_mail_is_in_one_batch_in_order(sizes: dict[str, int]) -> None:
    """None is lost, and none comes twice."""
    assert [uid for batch in batches(list(sizes), sizes) for uid in batch] == list(sizes)


@given(SIZES)
def test_a_batch_is_bounded(sizes: dict[str, int]) -> None:
    """By what comes of its mails at first: of a large one that is a piece."""
    for batch in batches(list(sizes), sizes):
        assert sum(min(sizes[uid], PIECE) for uid in batch) <= BATCH_BYTES


def test_a_batch_is_filled() -> None:
    """Small mails go together: each batch costs a round trip."""
    sizes = {str(uid): 1000 for uid in range(100)}
    assert len(list(batches(list(sizes), sizes))) == 1


def test_mails_of_unknown_size_are_kept() -> None:
    """They are gone, and whoever asked is told so."""
    assert list(batches(["1", "2"], {})) == [["1", "2"]]
