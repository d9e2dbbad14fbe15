"""Fields of a delivery status (RFC 3464), as servers write them."""

import pytest

from app.domain.bounce import BouncedRecipient, BounceKind
from app.mail.reading.reader import read_message
from app.mail.sorting.delivery_status import MAX_GROUPS, DeliveryStatus, read_delivery_status
from app.mail.sorting.status_fields import MAX_REPLY, address_in, host_in, status_of, words_in


def status_in(report: str) -> DeliveryStatus:
    """Return what a mail that is nothing but the report tells."""
    found = read_delivery_status(read_message(f"Content-Type: message/delivery-status\n\n{report}".encode()))
    assert found is not None
    return found


def recipient(fields: str) -> BouncedRecipient | None:
    """Return the one recipient of a report, if there is one."""
    found = status_in(f"Reporting-MTA: dns; a.example\n\nFinal-Recipient: rfc822; x@example.com\n{fields}").recipients
    return found[0] if found else None


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ("Action: failed", BounceKind.FAILED),
        ("Action: FAILED", BounceKind.FAILED),
        ("Action: failed (bounced by Exchange)", BounceKind.FAILED),
        ("Action: failed\nStatus: 4.4.7", BounceKind.FAILED),
        ("Action: error", BounceKind.FAILED),
        ("Status: 5.1.1", BounceKind.FAILED),
        ("Action: delayed", BounceKind.DELAYED),
        ("Action: delayed\nStatus: 5.4.7", BounceKind.DELAYED),
        ("Status: 4.2.2", BounceKind.DELAYED),
        ("Action: delivered", None),
        ("Action: relayed", None),
        ("Action: expanded\nStatus: 5.0.0", None),
        ("Status: 2.0.0", None),
        ("Action: unheard-of", None),
        ("", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_action_says_what_happened(fields: str, kind: BounceKind | None) -> None:
    """RFC 3464 section 2.3.3; without one that is known, the class of the status does."""
    found = recipient(fields)
    assert (found.kind if found else None) is kind


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("rfc822;ops@example.com", "ops@example.com"),
        ("RFC822; <ops@example.com>", "ops@example.com"),
        ("rfc822;ops@example.com (unknown user)", "ops@example.com"),
        ("ops@example.com", "ops@example.com"),
        ("<ops@example.com>", "ops@example.com"),
        ("rfc822; ops+2Bnight@example.com", "ops+night@example.com"),
        ("rfc822; a+3Db@example.com", "a=b@example.com"),
        ("rfc822; ops+41@example.com", "ops+41@example.com"),
        ("utf-8; j\\x{FC}rgen@example.com", "jürgen@example.com"),
        ("utf-8;jürgen@example.com", "jürgen@example.com"),
        ("utf-8; a\\x{D800}\\x{A}\\x{FFFFFF}b@example.com", "a\ufffd \\x{FFFFFF}b@example.com"),
        ('rfc822; "a b"@example.com', '"a b"@example.com'),
        ("", ""),
        (";;;", ";;;"),
    ],
)
def test_addresses_come_without_their_type(written: str, address: str) -> None:
    """RFC 3464 section 2.3, xtext of RFC 3461, addresses of RFC 6533; and what servers make of it."""
    assert address_in(written) == address


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("dns; mx.example.com", "mx.example.com"),
        ("DNS;mx.example.com.", "mx.example.com"),
        ("dns; mx.example.com. (203.0.113.9, the server for the domain example.com.)", "mx.example.com"),
        ("dns; [203.0.113.9]", "[203.0.113.9]"),
        ("mx.example.com", "mx.example.com"),
        ("", ""),
    ],
)
def test_a_host_comes_without_its_type(written: str, host: str) -> None:
    """Nor what Gmail says of it besides."""
    assert host_in(written) == host


@pytest.mark.parametrize(
    ("status", "words", "found"),
    [
        ("5.1.1", "550 5.7.1 no", "5.1.1"),
        ("5.0.0", "550 5.1.1 no such user", "5.1.1"),
        ("", "552 5.2.2 full", "5.2.2"),
        ("4.0.0", "550 5.1.1 no such user", "4.0.0"),
        ("5.1.1 (bad destination)", "", "5.1.1"),
        ("5.0.0", "host 5.1.1.9 said no", "5.0.0"),
        ("5.0.0", "rejected: 5.1.1.", "5.1.1"),
        ("five", "no", ""),
    ],
)
def test_a_status_that_says_nothing_gives_way(status: str, words: str, found: str) -> None:
    """By the code the address is judged: a full mailbox is no useless one."""
    assert status_of(status, words) == found


def test_words_of_a_server_are_one_line_without_orders() -> None:
    """They go to the journal, to the log, and on to terminals."""
    found = recipient("Action: failed\nDiagnostic-Code: smtp; 550 no\n\t \x1b[2Juser\x07\n " + "x" * 2000)
    assert found is not None
    assert found.reply.startswith("550 no [2Juser x")
    assert found.reply.isprintable()
    assert len(found.reply) == MAX_REPLY


def test_words_keep_their_own_semicolons() -> None:
    """Only the type is taken off."""
    found = recipient("Action: failed\nDiagnostic-Code: smtp;550 5.1.10 RESOLVER; Recipient not found")
    assert found is not None
    assert found.reply == "550 5.1.10 RESOLVER; Recipient not found"
    assert words_in("is: c=us; a=x") == "is: c=us; a=x"


def test_each_recipient_has_a_group() -> None:
    """Of those who have the mail nothing is told but that there are some."""
    found = status_in(
        "\n\nReporting-MTA: dns; a.example\nOriginal-Envelope-Id: E1\n \t\n"
        "Final-Recipient: rfc822; a@x\nAction: failed\nStatus: 5.1.1\n\r\n\n"
        "Final-Recipient: rfc822; b@x\nAction: delivered\n\n"
        "Final-Recipient: rfc822; c@x\nAction: delayed\nStatus: 4.4.1\n"
    )
    assert (found.envelope_id, found.has_good_news) == ("E1", True)
    assert [(told.address, told.status) for told in found.recipients] == [("a@x", "5.1.1"), ("c@x", "4.4.1")]


def test_all_in_one_group_does() -> None:
    """As some servers write it."""
    found = status_in("Reporting-MTA: dns; a\nOriginal-Envelope-Id: E1\nFinal-Recipient: rfc822; a@x\nAction: failed\n")
    assert (found.envelope_id, [told.address for told in found.recipients]) == ("E1", ["a@x"])


def test_no_more_recipients_are_read_than_mails_have() -> None:
    """A report of a megabyte is no reason to keep a million names."""
    assert len(status_in("Final-Recipient: rfc822; a@x\nAction: failed\n\n" * 5000).recipients) <= MAX_GROUPS + 1


def test_a_mail_without_one_has_no_delivery_status() -> None:
    """Whatever it calls itself."""
    mail = read_message(
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nno\n--b--\n"
    )
    assert read_delivery_status(mail) is None
