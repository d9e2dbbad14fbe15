"""Reads mails: any octets become a Message, and what is wrong with them is told by its defects."""

from app.mail.reading.charsets import hint_of
from app.mail.reading.dates import read_date
from app.mail.reading.headers import Headers
from app.mail.reading.limits import ReadingLimits
from app.mail.reading.message import Message
from app.mail.reading.naming import file_name, given_name
from app.mail.reading.parameters import Parametrised, read_parameters, without_comments
from app.mail.reading.part import Part
from app.mail.reading.texts import Body, BodyReader
from app.mail.reading.transfer import decode_transfer
from app.mail.reading.tree import PLAIN, Node, Splitter
from app.mail.reading.undeclared import charset_of, codec_of_undeclared

BARE_CR = "the lines end with CR alone"
LIMITS = ReadingLimits()


def read_message(data: bytes, limits: ReadingLimits = LIMITS) -> Message:
    """Return the mail that `data` holds, whatever its line ends. Never raises, whatever the octets are.

    Time and memory grow with the length of `data`, however its parts nest. A mail within the mail is not gone into:
    it is a file whose data can be read in its turn.
    """
    defects: dict[str, None] = {}
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
        defects[BARE_CR] = None
    splitter = Splitter(data, limits, defects)
    splitter.split()
    nodes = splitter.nodes
    bodies = [_octets(data, node, defects) for node in nodes]
    hint = codec_of_undeclared(nodes, bodies)
    parts: list[Part] = []
    for node, octets in zip(nodes, bodies, strict=True):
        within = "" if node.parent is None else nodes[node.parent].content_type.value
        parts.append(_part(node, octets, limits, hint, within=within))
    body = BodyReader(parts, limits.max_text_bytes, hint, defects).read()
    return _message(tuple(parts), body, tuple(defects))


def _octets(data: bytes, node: Node, defects: dict[str, None]) -> bytes:
    """Return the part's own octets, their transfer encoding undone."""
    if node.children:  # RFC 2045 section 6.4: no multipart is encoded, though some say so
        return b""
    octets, defect = decode_transfer(data[node.start : node.end], _encoding(node))
    defects.update({defect: None} if defect else {})
    return octets


def _part(node: Node, octets: bytes, limits: ReadingLimits, hint: str, *, within: str) -> Part:
    content_type = _type_of_content(node, limits)
    headers = Headers(node.headers.fields, hint_of(charset_of(node)) or hint)
    disposition = read_parameters(headers.raw("Content-Disposition"), headers.hint)
    name = given_name(disposition, read_parameters(headers.raw("Content-Type"), headers.hint))
    return Part(
        content_type=content_type.value,
        parameters=content_type.parameters,
        disposition=disposition.value,
        name=name,
        file_name=file_name(name, content_type.value, within=within),
        headers=headers,
        data=octets,
        depth=node.depth,
        parent=node.parent,
        is_multipart=node.children > 0,
    )


def _type_of_content(node: Node, limits: ReadingLimits) -> Parametrised:
    """Return the type that the part is read by: a multipart that has no parts is text."""
    is_empty = node.content_type.value.startswith("multipart/") and not node.children
    return PLAIN if is_empty and node.depth < limits.max_depth else node.content_type


def _encoding(node: Node) -> str:
    """Return the transfer encoding in lower case; some programs write comments and semicolons behind it."""
    return node.headers.raw("Content-Transfer-Encoding").lower().partition(";")[0].partition("(")[0].strip(" \"'")


def _message(parts: tuple[Part, ...], body: Body, defects: tuple[str, ...]) -> Message:
    headers = parts[0].headers
    senders = headers.mailboxes("From") or headers.mailboxes("Sender")
    message_ids = headers.identifiers("Message-ID")
    return Message(
        headers=headers,
        sender=senders[0] if senders else None,
        to=headers.mailboxes("To"),
        cc=headers.mailboxes("Cc"),
        reply_to=headers.mailboxes("Reply-To"),
        subject=headers.text("Subject"),
        date=read_date(headers.raw("Date")),
        message_id=message_ids[0] if message_ids else "",
        in_reply_to=headers.identifiers("In-Reply-To"),
        references=headers.identifiers("References"),
        auto_submitted=read_parameters(without_comments(headers.raw("Auto-Submitted"))).value,
        text=body.text,
        html=body.html,
        files=body.files,
        parts=parts,
        defects=defects,
    )
