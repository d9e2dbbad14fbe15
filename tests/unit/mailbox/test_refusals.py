"""When refused mails are the trouble of the mailbox, and when of each."""

import pytest

from app.domain.mailbox_server import MailboxSecurity, MailboxServer
from app.domain.mailbox_session import FetchedMail, MailboxFault, Trouble
from app.mailbox.refusals import Refusals, refused_mail

SERVER = MailboxServer(host="mx", port=993, security=MailboxSecurity.IMAP_TLS, username="tim")
WHOLE = FetchedMail("whole", b"data")
GONE = FetchedMail("gone", fault="it is not in the mailbox any more")
ALIKE = refused_mail("alike", "no", is_for_now=False)
OTHER = refused_mail("other", "damaged", is_for_now=False)
FOR_NOW = refused_mail("for now", "no", is_for_now=True)


def passed_on(*mails: FetchedMail) -> list[FetchedMail]:
    """Return what comes of these mails."""
    refusals = Refusals(SERVER)
    return [ready for mail in mails for ready in refusals.pass_on(mail)] + refusals.rest()


@pytest.mark.parametrize(
    "mails",
    [[], [WHOLE], [ALIKE], [ALIKE, WHOLE], [WHOLE, ALIKE, ALIKE], [ALIKE, OTHER, ALIKE], [ALIKE, GONE], [GONE, GONE]],
    ids=lambda mails: ", ".join(mail.uid for mail in mails) or "none",
)
def test_a_refusal_is_the_fault_of_one_mail(mails: list[FetchedMail]) -> None:
    """As long as it is a single one, or another mail shows that the store is sound; the order stays."""
    assert passed_on(*mails) == mails


@pytest.mark.parametrize(
    "mails",
    [[ALIKE, ALIKE], [ALIKE, GONE, ALIKE], [FOR_NOW], [WHOLE, FOR_NOW], [ALIKE, FOR_NOW]],
    ids=lambda mails: ", ".join(mail.uid for mail in mails),
)
def test_a_refusal_is_the_trouble_of_the_mailbox(mails: list[FetchedMail]) -> None:
    """If every mail is refused alike, or one with a code that says so: it is read later."""
    with pytest.raises(MailboxFault, match=r'mailbox "imap:tim@mx": .* says "no"') as caught:
        passed_on(*mails)
    assert caught.value.trouble is Trouble.BUSY


def test_a_mail_is_not_held_back_once_the_store_is_sound() -> None:
    """Whoever reads a thousand mails takes each as it comes."""
    refusals = Refusals(SERVER)
    assert refusals.pass_on(ALIKE) == []
    assert refusals.pass_on(WHOLE) == [ALIKE, WHOLE]
    assert refusals.pass_on(ALIKE) == [ALIKE]
