"""Parts of mails written by hand from the standards, not by a mail library: what readers are held against."""

from base64 import b64encode, encodebytes
from collections.abc import Iterator
from dataclasses import dataclass
from quopri import encodestring

CRLF = b"\r\n"
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
WORD_FORMS = ("B", "Q", "b", "Q with a language")
NAME_FORMS = ("token", "quoted", "RFC 2231", "RFC 2231 in sections", "none")


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """A part: its header fields, each with CRLF, and its body."""

    headers: bytes
    body: bytes

    def render(self) -> bytes:
        """Return the part as it stands in a mail."""
        return self.headers + CRLF + self.body


def words(text: str, charset: str, form: str = "B") -> bytes:
    """Return the text as encoded words of at most 75 octets, folded between them; ASCII as it is (RFC 2047)."""
    if text.isascii():
        return text.encode()
    language = "*en" if "language" in form else ""
    opening = f"=?{charset}{language}?{form[0]}?".encode()
    return b"\r\n ".join(opening + _encoded(chunk, form) + b"?=" for chunk in _chunks(text, charset))


def _chunks(text: str, charset: str) -> Iterator[bytes]:
    """Yield five characters at a time: 20 octets make at most 60 in Q."""
    for start in range(0, len(text), 5):
        yield text[start : start + 5].encode(charset)


def _encoded(octets: bytes, form: str) -> bytes:
    if form in "Bb":
        return b64encode(octets)
    return b"".join(
        bytes([octet]) if octet in _PLAIN else b"_" if octet == 0x20 else b"=%02X" % octet for octet in octets
    )


def parameter(name: str, value: str, charset: str, form: str) -> bytes:
    """Return a parameter with its semicolon; what is not ASCII takes RFC 2231, whatever the form."""
    if form == "RFC 2231 in sections":
        sections = [_percent(chunk) for chunk in _chunks(value, charset)]
        first = f"{charset}''".encode()
        return b"".join(
            b";\r\n %b*%d*=%b%b" % (name.encode(), number, b"" if number else first, section)
            for number, section in enumerate(sections)
        )
    if form == "RFC 2231" or not value.isascii():
        return b";\r\n %b*=%b''%b" % (name.encode(), charset.encode(), _percent(value.encode(charset)))
    return (b";\r\n %b=%b" if form == "token" else b';\r\n %b="%b"') % (name.encode(), value.encode())


def _percent(octets: bytes) -> bytes:
    return b"".join(bytes([octet]) if octet in _PLAIN else b"%%%02X" % octet for octet in octets)


def text_part(text: str, charset: str, transfer: str, subtype: str = "plain") -> WrittenPart:
    """Return a text, its LF written as CRLF."""
    octets = text.replace("\n", "\r\n").encode(charset)
    if charset in {"us-ascii", "iso-2022-jp"} and transfer == "8bit":
        transfer = "7bit"
    return WrittenPart(
        f'Content-Type: text/{subtype}; charset="{charset}"\r\nContent-Transfer-Encoding: {transfer}\r\n'.encode(),
        transferred(octets, transfer),
    )


def file_part(name: bytes, data: bytes, *, content_type: str, disposition: str) -> WrittenPart:
    """Return a file in base64; `name` is the parameter of the Content-Disposition, b"" for none."""
    return WrittenPart(
        f"Content-Type: {content_type}\r\nContent-Disposition: {disposition}".encode()
        + name
        + b"\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <1@example.org>\r\n",
        transferred(data, "base64"),
    )


def transferred(octets: bytes, transfer: str) -> bytes:
    """Return the octets in a transfer encoding of RFC 2045."""
    if transfer == "base64":
        return encodebytes(octets).replace(b"\n", CRLF)
    if transfer == "quoted-printable":
        lines = octets.split(CRLF)
        return CRLF.join(encodestring(line).replace(b"\n", CRLF) for line in lines)
    return octets


def multipart(subtype: str, *parts: WrittenPart) -> WrittenPart:
    """Return a multipart with a boundary that its parts do not have."""
    inside = [part.render() for part in parts]
    boundary = b"=_%d" % sum(b"--=_" in part for part in inside)
    while any(b"--" + boundary in part for part in inside):
        boundary += b"x"
    body = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in inside)
    return WrittenPart(
        b'Content-Type: multipart/%b; boundary="%b"\r\n' % (subtype.encode(), boundary),
        b"%b--%b--\r\n" % (body, boundary),
    )
