"""What the standard library's `email` makes of a mail, in the words of the corpus."""

from email import message_from_bytes, policy
from email.message import EmailMessage, Message

from app.domain.address import Mailbox
from tests.support.mail_corpus import CorpusFile, Said


def said_by_email(octets: bytes) -> Said:
    """Return what `email` reads with policy.default."""
    mail = message_from_bytes(octets, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    date = mail["Date"]
    return Said(
        subject=str(mail.get("Subject", "")),
        sender=_people(mail, "From"),
        to=_people(mail, "To"),
        cc=_people(mail, "Cc"),
        reply_to=_people(mail, "Reply-To"),
        date=date.datetime if date is not None else None,
        message_id=str(mail.get("Message-ID", "")),
        in_reply_to=tuple(str(mail.get("In-Reply-To", "")).split()),
        references=tuple(str(mail.get("References", "")).split()),
        text=_text(mail, "plain"),
        html=_text(mail, "html"),
        files=tuple(_file(part) for part in _file_parts(mail)),
    )


def _people(mail: EmailMessage, name: str) -> tuple[Mailbox, ...]:
    field = mail[name]
    return tuple(Mailbox(each.addr_spec, each.display_name) for each in field.addresses) if field is not None else ()


def _text(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def _file_parts(mail: EmailMessage) -> list[EmailMessage]:
    bodies = [mail.get_body((subtype,)) for subtype in ("plain", "html")]
    return [part for part in _leaves(mail) if part not in bodies]


def _leaves(part: Message) -> list[EmailMessage]:
    assert isinstance(part, EmailMessage)
    if part.get_content_maintype() != "multipart":
        return [part]
    return [leaf for child in part.iter_parts() for leaf in _leaves(child)]


def _file(part: EmailMessage) -> CorpusFile:
    if part.get_content_type() == "message/rfc822":
        data = part.get_payload(0).as_bytes(policy=policy.SMTP)
    else:
        data = part.get_payload(decode=True)
    return CorpusFile(part.get_filename() or "", part.get_content_type(), data)
