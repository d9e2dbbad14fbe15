"""The headers that say whom a mail is for: each receiver has its own, and blind copies stand nowhere."""

import pytest

from app.domain.address import Mailbox
from app.domain.alert import Alert
from app.mail.compose import Composer
from app.mail.message_id import MessageIds
from tests.support.mails import ENVELOPE_ID, names_and_addresses, queued_mail, read_mail

KEY = b"k" * 32
COMPOSER = Composer(mac_key=KEY)
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


def test_answers_come_to_an_address_that_tells_what_they_are_about() -> None:
    """Where the mailbox is read: a sub-address of this very mail, which the system knows as its own."""
    mailbox = Mailbox("alerts@example.org", "Alerts, Köln")
    queued = queued_mail(Alert(subject="disk full"), reply_address=mailbox)
    ((name, address),) = names_and_addresses(COMPOSER.render(queued), "Reply-To")
    assert MessageIds(KEY).verify_sub_address(address) == (ENVELOPE_ID, None)
    assert (name, address.partition("+")[0]) == ("Alerts, Köln", "alerts")


def test_the_address_of_the_receiver_goes_before_that_of_the_mailbox() -> None:
    """Who wants the answers elsewhere has them there."""
    queued = queued_mail(Alert(subject="disk full"), reply_address=Mailbox("alerts@example.org"), reply_to=LEAD)
    assert read_mail(COMPOSER.render(queued))["Reply-To"] == "The Lead <lead@example.org>"


def test_bounces_go_to_the_sender() -> None:
    """All of them to one address, as most providers want it."""
    queued = queued_mail(Alert(subject="disk full"), recipients=(OPS, LEAD))
    assert {COMPOSER.return_path(queued, position) for position in (0, 1)} == {"alerts@example.org"}


def test_bounces_go_to_an_address_of_each_recipient() -> None:
    """With VERP: it tells alone which mail it is, and whose."""
    queued = queued_mail(Alert(subject="disk full"), recipients=(OPS, LEAD), verp="bounces@example.org")
    paths = [COMPOSER.return_path(queued, position) for position in (0, 1)]
    assert [MessageIds(KEY).verify_sub_address(path) for path in paths] == [(ENVELOPE_ID, 0), (ENVELOPE_ID, 1)]
    assert all(path.startswith("bounces+") for path in paths)


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
