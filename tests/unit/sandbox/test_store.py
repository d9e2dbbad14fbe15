"""The sandbox's store: what stays, what goes, and in which order it is shown."""

from datetime import UTC, datetime

from app.sandbox.store import SandboxStore
from app.smtpd.mail import ReceivedMail


def mail(text: str = "Subject: x\r\n\r\n") -> ReceivedMail:
    """Return a mail with this text."""
    return ReceivedMail(
        mail_from="a@example.org",
        recipients=("b@example.org",),
        data=text.encode(),
        peer="127.0.0.1",
        received_at=datetime(2026, 1, 5, tzinfo=UTC),
    )


def numbers(store: SandboxStore) -> list[int]:
    """Return the numbers of the mails that the store holds, in its order."""
    return [kept.number for kept in store.newest_first()]


def test_mails_are_numbered_and_shown_newest_first() -> None:
    """The first mail is number 1, and each keeps its number."""
    store = SandboxStore()
    assert [store.add(mail()).number for _ in range(3)] == [1, 2, 3]
    assert numbers(store) == [3, 2, 1]


def test_the_oldest_mail_goes_when_there_are_too_many() -> None:
    """It is gone by its number, too, and still counted."""
    store = SandboxStore(max_mails=2)
    for _ in range(3):
        store.add(mail())
    assert (numbers(store), store.get(1), store.received) == ([3, 2], None, 3)


def test_the_oldest_mails_go_when_they_hold_too_many_bytes() -> None:
    """Memory is bounded, however large the mails are."""
    store = SandboxStore(max_bytes=100)
    for size in (40, 40, 90):
        store.add(mail("x" * size))
    assert numbers(store) == [3]
    store.add(mail("x" * 10))
    assert numbers(store) == [4, 3]


def test_the_newest_mail_stays_however_large() -> None:
    """Who sends a huge mail can look at it."""
    store = SandboxStore(max_bytes=100)
    store.add(mail("x" * 1000))
    assert numbers(store) == [1]


def test_a_heading_is_read_once() -> None:
    """Showing the list again costs nothing."""
    kept = SandboxStore().add(mail("Subject: disk full\r\n\r\n"))
    assert kept.heading.subject == "disk full"
    assert kept.heading is kept.heading
