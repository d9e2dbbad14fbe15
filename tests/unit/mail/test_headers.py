"""Header fields, held against the parser of the standard library."""

from datetime import UTC, datetime, timedelta, timezone
from email import message_from_string, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.address import Mailbox
from app.domain.text import one_line
from app.mail.headers import address_list, date, unstructured
from tests.support.mails import any_text, names_and_addresses

SUBJECTS = {
    "plain": "disk full on web1",
    "empty": "",
    "one long word": "x" * 400,
    "a long sentence": "the disk is full " * 30,
    "runs of spaces": "a  b" + " " * 90 + "c",
    "German": "Die Festplatte läuft über: " + "Größe überschritten, " * 10,
    "CJK without spaces": "磁盘空间不足" * 60,
    "emoji": "🔥" * 80,
    "family emoji": "👨‍👩‍👧‍👦" * 30,
    "right to left": "القرص ممتلئ على الخادم " * 8,
    "looks encoded": "=?utf-8?q?forged?=",
    "looks encoded, within": "a =?utf-8?b?Zm9v?= b",
    "quotes and commas": 'a "quoted", \\ <thing>; (x)',
    "colon": "Bcc: all@example.org",
}
NAMES = {
    "plain": "Ops Team",
    "comma": "Smith, John",
    "quote": 'The "Boss"',
    "backslash": "a\\b",
    "looks like an address": "root@evil.example <x>",
    "looks encoded": "=?utf-8?q?forged?=",
    "spaces": "a   b",
    "accents": "Bereitschaft für Köln",
    "CJK": "值班工程师" * 20,
    "long": "Night Shift " * 20,
    "comment": "a (b) c",
}


def parse(field: str) -> EmailMessage:
    message = message_from_string(field + "\r\n", policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    assert len(message.keys()) == 1
    return message


def assert_sound(field: str) -> None:
    lines = field.removesuffix("\r\n").split("\r\n")
    assert field.isascii()
    assert all(line.isprintable() for line in lines)
    assert all(line.startswith(" ") and line.strip() for line in lines[1:])


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS.keys())
def test_a_subject_reads_back_as_written(subject: str) -> None:
    """Whatever a subject holds, the standard library reads the same text, out of lines of 76 columns."""
    field = unstructured("Subject", subject)
    assert_sound(field)
    assert parse(field)["Subject"] == subject.strip()
    assert max(map(len, field.split("\r\n"))) <= 76


@given(any_text)
def test_any_subject_reads_back_cleaned(subject: str) -> None:
    """Any str at all makes one sound field that reads back as its one-line form."""
    field = unstructured("Subject", subject)
    assert_sound(field)
    header = parse(field)["Subject"]
    assert header == one_line(subject)
    assert header.defects == ()


@given(st.text(min_size=60, max_size=300, alphabet="aé磁🔥 "))
def test_encoded_words_are_whole(subject: str) -> None:
    """No encoded-word is longer than 75 characters, and each decodes by itself (RFC 2047 sections 2 and 5)."""
    for line in unstructured("Subject", subject).split("\r\n"):
        word = line.removeprefix("Subject:").strip()
        assert len(word) <= 75 or not word.startswith("=?")
        assert "\ufffd" not in parse(f"Subject: {word}")["Subject"]


def test_a_short_ascii_subject_stays_readable() -> None:
    """What needs no encoding gets none."""
    assert unstructured("Subject", "[web1] disk full") == "Subject: [web1] disk full\r\n"


def test_a_long_ascii_subject_is_folded_and_not_encoded() -> None:
    """A long line of words is folded at its spaces."""
    field = unstructured("Subject", "word " * 40)
    assert "=?" not in field
    assert field.count("\r\n") > 2


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_display_name_reads_back_as_written(name: str) -> None:
    """Whatever a display name holds, the reader finds it, and the right address after it."""
    field = address_list("To", [Mailbox("ops@example.org", name), Mailbox("b@example.org")])
    assert_sound(field)
    assert [a.addr_spec for a in parse(field)["To"].addresses] == ["ops@example.org", "b@example.org"]
    read = names_and_addresses(field.encode(), "To")
    assert read == [(name.strip(), "ops@example.org"), ("", "b@example.org")]


@given(any_text)
def test_any_display_name_reads_back_cleaned(name: str) -> None:
    """Any str at all as a name leaves exactly one address, under that name in its one-line form."""
    field = address_list("From", [Mailbox("ops@example.org", name)])
    assert_sound(field)
    header = parse(field)["From"]
    assert [a.addr_spec for a in header.addresses] == ["ops@example.org"]
    assert header.defects == ()
    assert names_and_addresses(field.encode(), "From") == [(one_line(name), "ops@example.org")]


@given(any_text)
def test_any_address_stays_in_its_field(address: str) -> None:
    """Even what is no address cannot start another header."""
    assert_sound(address_list("To", [Mailbox(address), Mailbox("b@example.org")]))


@pytest.mark.parametrize("name", ["", "Jörg Müller", "Ops"], ids=["no name", "accents", "plain"])
def test_an_address_in_another_script_is_shown_and_no_address(name: str) -> None:
    """Headers stay ASCII for every relay and reader: such an address is a group's name, and stays readable."""
    field = address_list("To", [Mailbox("jörg@example.org", name), Mailbox("ops@example.org")])
    assert_sound(field)
    header = parse(field)["To"]
    assert header.defects == ()
    assert [group.display_name for group in header.groups] == [f"{name} jörg@example.org".strip(), None]
    assert [a.addr_spec for a in header.addresses] == ["ops@example.org"]


@pytest.mark.parametrize("name", ["From", "To"])
def test_the_longest_address_in_another_script_makes_short_lines(name: str) -> None:
    """64 octets of local part and 255 of domain are folded like any text."""
    field = address_list(name, [Mailbox(f"{'ö' * 32}@{'d' * 255}", "é" * 100)])
    assert_sound(field)
    assert max(map(len, field.split("\r\n"))) <= 76


def test_a_long_list_of_recipients_stands_one_on_a_line() -> None:
    """A thousand recipients make short lines, all found again in order."""
    mailboxes = [Mailbox(f"admin{n}@example.org", f"Admin {n}") for n in range(1000)]
    field = address_list("To", mailboxes)
    assert max(map(len, field.split("\r\n"))) <= 78
    assert [a.addr_spec for a in parse(field)["To"].addresses] == [m.address for m in mailboxes]


def test_the_longest_address_fits_a_line() -> None:
    """The longest name and address that RFC 5321 allows stay far below 998 columns."""
    mailbox = Mailbox(f"{'l' * 64}@{'d' * 255}", "n" * 60)
    assert max(map(len, address_list("To", [mailbox]).split("\r\n"))) <= 998


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001  # Hypothesis adds the time zone
        max_value=datetime(2200, 1, 1),  # noqa: DTZ001  # the same
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
    )
)
def test_a_date_reads_back_to_the_second(moment: datetime) -> None:
    """The Date field is the moment in UTC; the zone of the value given makes no difference."""
    text = date(moment)
    assert text.endswith(" +0000")
    assert parsedate_to_datetime(text).replace(tzinfo=UTC) == moment.replace(microsecond=0)
