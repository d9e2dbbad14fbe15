"""From a text, an HTML part and files to the octets of a mail: CRLF, all ASCII, no line too long."""

from collections.abc import Iterable, Iterator, Sequence

from app.domain.attachment import Attachment
from app.mail.attached import attached
from app.mail.transfer import lightest


def serialise(*, headers: str, token: str, text: str, html: str, attachments: Sequence[Attachment] = ()) -> bytes:
    """Return the whole mail: both parts as multipart/alternative, below it the attachments if there are any.

    `headers` are complete lines without those that describe the content. `token` must be one that the parts
    cannot know: it bounds them, and they are not searched for it.
    """
    # RFC 2045 section 6.7: "=_" never occurs in quoted-printable.
    outer = f"=_{token}"
    if not attachments:
        content = _alternative(outer, text, html)
    else:
        # RFC 2046 section 5.1.1: no boundary may begin with another one, so the inner one differs early.
        content = _multipart("mixed", outer, [_alternative(f"=_a.{token}", text, html), *map(attached, attachments)])
    return b"".join((f"{headers}MIME-Version: 1.0\r\n".encode("ascii", "replace"), *content))


def serialise_text(*, headers: str, text: str) -> bytes:
    """Return the whole mail of one text part. `headers` are as for `serialise`."""
    return b"".join((f"{headers}MIME-Version: 1.0\r\n".encode("ascii", "replace"), *_text(b"text/plain", text)))


def _alternative(boundary: str, text: str, html: str) -> Iterator[bytes]:
    """Yield the two parts as one, the plainest first (RFC 2046 section 5.1.4)."""
    return _multipart("alternative", boundary, [_text(b"text/plain", text), _text(b"text/html", html)])


def _multipart(subtype: str, boundary: str, parts: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    yield f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'.encode()
    for part in parts:
        yield f"--{boundary}\r\n".encode()
        yield from part
        yield b"\r\n"  # RFC 2046 section 5.1.1: it belongs to the boundary that follows
    yield f"--{boundary}--\r\n".encode()


def _text(media_type: bytes, text: str) -> Iterable[bytes]:
    encoding, body = lightest(text if text.endswith("\n") else text + "\n")
    head = b"Content-Type: %b; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n" % (media_type, encoding)
    return head, body
