"""What a mail is: of several answers the first in order counts."""

import pytest

from app.domain.alert import Alert
from app.domain.mail_kind import MailKind
from app.mail.compose import Composer
from app.mail.message_id import MessageIds
from app.mail.probe import ProbePaper, probe_mail
from app.mail.sorting.marks import MAX_REFERENCES
from tests.support.mails import LETTERHEAD, MADE_AT, queued_mail
from tests.support.sorting import ENVELOPE, FORGED, IDS, KEY, OTHER_TOKEN, OURS, SAMPLES, TOKEN, answer, sort

OWN = Composer(mac_key=KEY).render(queued_mail(Alert(subject="disk full")))
PAPER = ProbePaper(server_name="web1", sender=LETTERHEAD.sender, mailbox=LETTERHEAD.sender)
FOREIGN = MessageIds(b"another key")


def probe(ids: MessageIds = IDS) -> bytes:
    """Return a probe with the number 7."""
    return probe_mail(PAPER, token=ids.probe_token(7), relay="mx1", at=MADE_AT)


def without(name: bytes, data: bytes) -> bytes:
    """Return the mail without its fields of that name."""
    return b"".join(line for line in data.splitlines(keepends=True) if not line.lower().startswith(name))


@pytest.mark.parametrize("dropped", [b"-", b"message-id", b"x-mailalert-probe"])
def test_a_probe_is_told_by_one_of_its_marks(dropped: bytes) -> None:
    """Relays replace the one, filters drop the other."""
    found = sort(without(dropped, probe()))
    assert (found.kind, found.probe) == (MailKind.PROBE, 7)


@pytest.mark.parametrize("dropped", [b"-", b"message-id", b"x-mailalert-id"])
def test_an_alert_of_ours_is_told_by_one_of_its_marks(dropped: bytes) -> None:
    """It comes here because somebody put the mailbox among the recipients, or forwards to it."""
    found = sort(without(dropped, OWN))
    assert (found.kind, found.envelope_id) == (MailKind.ALERT, OURS)


@pytest.mark.parametrize(
    "data",
    [
        Composer(mac_key=b"another key").render(queued_mail(Alert(subject="disk full"))),
        probe(FOREIGN),
        b"X-MailAlert-Id: 06YDD255M0000\n\nof an old version\n",
    ],
    ids=["alert", "probe", "without a MAC"],
)
def test_a_mail_of_another_daemon_is_left_alone(data: bytes) -> None:
    """Two that feed each other would never end."""
    found = sort(data)
    assert (found.kind, found.envelope_id, found.probe) == (MailKind.ALERT, None, None)


@pytest.mark.parametrize("mark", ["hello", "06YDD255M0000.x", "06YDD255M0000 x", "UUUUUUUUUUUUU", ""])
def test_a_mark_that_is_none_says_nothing(mark: str) -> None:
    """Of another program by the same name for a header."""
    assert sort(f"X-MailAlert-Id: {mark}\n\ntext\n").kind is MailKind.OTHER


def test_any_other_mail_is_another_mail() -> None:
    """As the sample that a person sent."""
    assert sort((SAMPLES / "gb18030-two-attachments.eml").read_bytes()).kind is MailKind.OTHER


@pytest.mark.parametrize(
    ("in_reply_to", "references", "expected"),
    [
        (TOKEN, "", OURS),
        ("", TOKEN, OURS),
        (TOKEN, OTHER_TOKEN, OURS),
        ("x", f"{OTHER_TOKEN} {TOKEN}", OURS),
        ("x", f"{TOKEN} x y", OURS),
        (FORGED, TOKEN, OURS),
        (FORGED, FORGED, None),
        ("x", f"{TOKEN} {'x ' * MAX_REFERENCES}", None),
    ],
    ids=[
        "in-reply-to",
        "references",
        "both",
        "the last",
        "not the last",
        "a forged one before",
        "forged",
        "too far back",
    ],
)
def test_the_nearest_mail_of_ours_is_the_one_that_is_answered(
    in_reply_to: str, references: str, expected: int | None
) -> None:
    """RFC 5322 section 3.6.4: In-Reply-To, then References from its end."""
    chain = " ".join(f"<{name}@example.org>" for name in references.split())
    found = sort(answer("ack\n", to=f"<{in_reply_to}@example.org>", headers=f"References: {chain}\n"))
    assert found.envelope_id == expected
    assert found.kind is (MailKind.ACKNOWLEDGEMENT if expected else MailKind.OTHER)


@pytest.mark.parametrize("field", ["To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To"])
def test_the_address_that_it_came_to_tells_too(field: str) -> None:
    """Where the relay put another Message-ID in the place of ours."""
    address = IDS.sub_address(ENVELOPE, "box@example.org")
    assert sort(f"From: dana@example.com\n{field}: {address}\n\nack\n").envelope_id == OURS
    assert sort(f"From: dana@example.com\n{field}: {address.replace(TOKEN, FORGED)}\n\nack\n").kind is MailKind.OTHER


def test_only_an_answer_to_ours_acknowledges() -> None:
    """The words alone are anybody's."""
    assert sort(answer("ack\n", to="<1@example.com>")).kind is MailKind.OTHER
    assert sort("Subject: ack\n\nack\n").kind is MailKind.OTHER
