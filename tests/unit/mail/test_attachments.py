"""Attachments: they arrive as they came, or the mail says that they do not."""

from dataclasses import replace
from email.message import EmailMessage, Message
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alert import Alert
from app.domain.attachment import Attachment
from app.domain.envelope import QueuedMail, Templates
from app.domain.text import one_line
from app.mail.compose import Composer
from tests.support.mails import any_text, part_of, queued_mail, read_mail

COMPOSER = Composer(mac_key=b"k" * 32)
GOLDEN = Path(__file__).with_name("golden")


def attachment(data: bytes, *, name: str = "a.bin", content_type: str = "application/gzip") -> Attachment:
    return Attachment(name=name, content_type=content_type, size_bytes=len(data), data=data)


def mail_with(*attachments: Attachment) -> QueuedMail:
    return queued_mail(Alert(subject="disk full", content="93 %", attachments=attachments))


def without(mail: QueuedMail) -> QueuedMail:
    return replace(mail, envelope=replace(mail.envelope, without_attachments=True))


def rendered(mail: QueuedMail) -> EmailMessage:
    return read_mail(COMPOSER.render(mail))


def files_of(mail: EmailMessage) -> list[Message]:
    return list(mail.iter_attachments())


def content_of(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def test_a_whole_mail_with_attachments_is_what_it_was() -> None:
    """Every byte of a mail is on purpose: a change must show here and be meant."""
    mail = mail_with(
        attachment(bytes(range(256)), name="df.bin"),
        attachment(b"93 %\n", name="Größe übersicht.txt", content_type="text/plain"),
        attachment(b"", name="a very long name that says all there is to say " * 2 + ".log"),
    )
    assert COMPOSER.render(mail) == (GOLDEN / "attached.eml").read_bytes()


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_any_octets_arrive_as_they_are(contents: list[bytes]) -> None:
    """Each file comes back to the octet, in order, behind the text and its HTML."""
    mail = rendered(mail_with(*map(attachment, contents)))
    text_and_html, *files = mail.iter_parts()
    assert mail.get_content_type() == "multipart/mixed"
    assert text_and_html.get_content_type() == "multipart/alternative"
    assert list(map(content_of, files)) == contents
    assert part_of(mail, "plain").startswith("93 %\n")


@pytest.mark.parametrize("size", [57 * 1024 - 1, 57 * 1024, 57 * 1024 + 1, 300_000])
def test_a_large_file_arrives_in_short_lines(size: int) -> None:
    """Where one block of the encoder ends and the next begins, no octet is lost and no line too long."""
    data = bytes(i % 251 for i in range(size))
    octets = COMPOSER.render(mail_with(attachment(data)))
    (part,) = files_of(read_mail(octets))
    assert content_of(part) == data
    assert max(map(len, octets[octets.index(b"base64") :].split(b"\r\n"))) <= 76


@given(name=any_text, content_type=any_text | st.sampled_from(["multipart/mixed", "Message/RFC822", "a/b; x=y"]))
def test_no_name_and_no_type_breaks_out(name: str, content_type: str) -> None:
    """Fault 20: whatever stands in a file's name or type, the file has three headers, and its name reads back."""
    (part,) = files_of(rendered(mail_with(attachment(b"x", name=name, content_type=content_type))))
    assert part.keys() == ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"]
    assert part["Content-Disposition"].params["filename"] == (one_line(name) or "attachment")
    assert part.get_content_disposition() == "attachment"
    assert content_of(part) == b"x"


TYPES = {
    "known": ("application/vnd.ms-excel", "application/vnd.ms-excel"),
    "with a charset": ("text/csv; charset=utf-8", "text/csv"),
    "none": ("", "application/octet-stream"),
    "half": ("text/", "application/octet-stream"),
    "two lines": ("text/plain\r\nBcc: x@example.org", "application/octet-stream"),
    "quoted": ('text/"plain"', "application/octet-stream"),
    "a message": ("message/rfc822", "application/octet-stream"),
    "parts": ("MULTIPART/mixed", "application/octet-stream"),
    "endless": ("text/" + "x" * 128, "application/octet-stream"),
}


@pytest.mark.parametrize(("given_type", "expected"), TYPES.values(), ids=TYPES.keys())
def test_a_type_that_is_none_or_may_not_be_encoded_is_not_used(given_type: str, expected: str) -> None:
    """RFC 2045 section 6.4 forbids base64 for messages and multiparts; the rest must be a media type at all."""
    (part,) = files_of(rendered(mail_with(attachment(b"x", content_type=given_type))))
    assert part.get_content_type() == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.log", "a.log"), ("Größe.log", "Gr__e.log"), ("x" * 80 + ".pdf", "x" * 56 + ".pdf")],
    ids=["plain", "accents", "long"],
)
def test_old_readers_find_a_name_with_its_suffix(name: str, expected: str) -> None:
    """Content-Type tells an ASCII likeness of the name, for readers without RFC 2183 or RFC 2231."""
    (part,) = files_of(rendered(mail_with(attachment(b"x", name=name))))
    assert part["Content-Type"].params["name"] == expected


def test_a_mail_without_its_attachments_says_so() -> None:
    """Text and HTML name what was left out and how large it was."""
    files = attachment(b"x" * 3_500_000, name="core.gz"), attachment(b"x", name="<b>\r\nx</b>")
    mail = rendered(without(mail_with(*files)))
    note = "2 attachments (core.gz, 3.3 MiB; <b> x</b>, 1 byte) were left out: the relay takes no mail that large."
    assert mail.get_content_type() == "multipart/alternative"
    assert f"\nNote: {note}\n" in part_of(mail, "plain")
    assert note.replace("<", "&lt;").replace(">", "&gt;") in part_of(mail, "html")


def test_a_template_of_a_site_tells_what_was_left_out_too() -> None:
    """The note stands among the notes, which templates have always had."""
    mail = without(mail_with(attachment(b"x" * 2048, name="a.log")))
    templates = Templates(text="{% for note in notes %}* {{ note }}\n{% endfor %}", html="x")
    mail = replace(mail, letterhead=replace(mail.letterhead, templates=templates))
    note = "1 attachment (a.log, 2.0 KiB) was left out: the relay takes no mail that large."
    assert part_of(rendered(mail), "plain") == f"* {note}\n"


def test_a_mail_without_its_attachments_is_a_new_message() -> None:
    """Another Message-ID and boundary, or a relay may take it for the one that it refused; of the same envelope."""
    mail = mail_with(attachment(b"x"))
    whole, reduced = rendered(mail), rendered(without(mail))
    assert reduced["Message-ID"] != whole["Message-ID"]
    assert reduced.get_boundary() != whole.get_boundary()
    assert reduced["X-MailAlert-Id"].partition(".")[0] == whole["X-MailAlert-Id"].partition(".")[0]


def test_a_mail_that_never_had_attachments_has_no_note() -> None:
    """Nothing was left out where nothing was."""
    assert "Note:" not in part_of(rendered(without(mail_with())), "plain")


def test_a_file_that_the_journal_has_lost_is_named() -> None:
    """It is left out, for half a file is worse than none; the others go with the mail, and no relay is blamed."""
    damaged = replace(attachment(b"x" * 2048, name="core"), data=b"xx")
    mail = rendered(mail_with(damaged, attachment(b"kept")))
    note = "The attachment core, 2.0 KiB, is missing: it could not be read from the journal."
    assert f"\nNote: {note}\n" in part_of(mail, "plain")
    assert list(map(content_of, files_of(mail))) == [b"kept"]


def test_the_envelope_id_is_the_message_id_before_the_at() -> None:
    """A report by ENVID names the same message as one by Message-ID; RFC 3461 section 4.4 allows 100 characters."""
    for mail in (mail_with(attachment(b"x")), without(mail_with(attachment(b"x")))):
        envelope_id = COMPOSER.envelope_id(mail)
        assert rendered(mail)["Message-ID"] == f"<{envelope_id}@example.org>"
        assert len(envelope_id) <= 100
        assert not set(envelope_id) & set("+=")  # what xtext encodes of printable ASCII


def test_boundaries_cannot_be_mistaken_for_each_other() -> None:
    """RFC 2046 section 5.1.1: a boundary that begins with another one would end the wrong part."""
    mail = rendered(mail_with(attachment(b"x")))
    outer, inner = mail.get_boundary(), next(mail.iter_parts()).get_boundary()
    assert outer is not None
    assert inner is not None
    assert not inner.startswith(outer)
    assert not outer.startswith(inner)
