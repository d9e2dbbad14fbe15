"""The headers that say whom a mail is for: each receiver has its own, and blind copies stand nowhere."""

import pytest

from app.domain.address import Mailbox
from app.domain.alert import Alert
from app.mail.compose import Composer
from tests.support.mails import queued_mail, read_mail

COMPOSER = Composer(mac_key=b"k" * 32)
OPS, LEAD, AUDIT = Mailbox("ops@example.org"), Mailbox("lead@example.org", "The Lead"), Mailbox("audit@example.org")


def rendered(*, to: int, cc: int = 0, bcc: int = 0, reply_to: Mailbox | None = None, receiver: str = "") -> bytes:
    """Return a mail to the first of three people, and so on through the lists."""
    recipients = (OPS, LEAD, AUDIT)[: to + cc + bcc]
    return COMPOSER.render(
        queued_mail(
            Alert(subject="disk full"),
            recipients=recipients,
            cc_count=cc,
            bcc_count=bcc,
            reply_to=reply_to,
            receiver=receiver,
        )
    )


HEADERS = {
    "to all": ({"to": 3}, ("ops@example.org, The Lead <lead@example.org>, audit@example.org", None)),
    "a copy": ({"to": 1, "cc": 1}, ("ops@example.org", "The Lead <lead@example.org>")),
    "a copy and a blind one": ({"to": 1, "cc": 1, "bcc": 1}, ("ops@example.org", "The Lead <lead@example.org>")),
    "blind copies": ({"to": 1, "bcc": 2}, ("ops@example.org", None)),
    "only blind ones": ({"to": 0, "bcc": 2}, ("undisclosed-recipients:;", None)),
}


@pytest.mark.parametrize(("lists", "expected"), HEADERS.values(), ids=HEADERS.keys())
def test_to_and_cc_show_who_may_be_seen(lists: dict[str, int], expected: tuple[str, str | None]) -> None:
    """RFC 5322 section 3.6.3, with a To that is never missing."""
    mail = read_mail(rendered(**lists))
    assert (mail["To"], mail["Cc"]) == expected


def test_a_blind_copy_stands_nowhere_in_the_mail() -> None:
    """Neither in a Bcc nor anywhere else."""
    octets = rendered(to=1, cc=1, bcc=1)
    assert b"audit" not in octets
    assert b"bcc" not in octets.lower()


def test_answers_go_where_the_receiver_says() -> None:
    """Else to the sender, as without the header."""
    assert read_mail(rendered(to=1, reply_to=LEAD))["Reply-To"] == "The Lead <lead@example.org>"
    assert "Reply-To" not in read_mail(rendered(to=1))


@pytest.mark.parametrize(
    ("receiver", "list_id"),
    [
        ("", "<alerts.example.org>"),
        ("dba", "<dba.alerts.example.org>"),
        ("db_team.berlin", "<db-team.berlin.alerts.example.org>"),
    ],
    ids=["default", "a name", "a name with a part"],
)
def test_each_receiver_is_a_list_of_its_own(receiver: str, list_id: str) -> None:
    """Mail programs sort by it, also for who is in several of them."""
    assert read_mail(rendered(to=1, receiver=receiver))["List-Id"] == list_id
