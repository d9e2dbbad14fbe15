"""A body of multipart/form-data, taken apart (RFC 7578)."""

from dataclasses import dataclass, field

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.domain.errors import MailAlertError
from app.intake.disposition import Disposition, read_disposition
from app.intake.urlencoded import MAX_PAIRS

MAX_BOUNDARY = 70  # characters; RFC 2046 section 5.1.1
MAX_PADDING = 64  # bytes of white space behind a boundary, which RFC 2046 section 5.1.1 allows and nobody sends
MAX_HEADERS = 8  # of one part; RFC 7578 section 4.8 knows three
MAX_HEADER = 4096  # bytes; a file name of 255 characters, each of them percent-encoded, and a path before it


class BrokenMultipart(MailAlertError):
    """The body is no multipart/form-data; the message says where it breaks."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field or file. `content_type` is as it came, "" for none."""

    disposition: Disposition
    content_type: str
    data: bytes = field(repr=False)


def split_parts(body: bytes, content_type: str) -> list[Part]:
    """Return the parts in order. Raises BrokenMultipart."""
    boundary = _boundary(content_type)
    _refuse_endless(body, b"\r\n--" + boundary)
    collector = _Collector()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": collector.begin_part,
            "on_header_begin": collector.begin_header,
            "on_header_field": collector.take_name,
            "on_header_value": collector.take_value,
            "on_header_end": collector.end_header,
            "on_part_data": collector.take_data,
            "on_part_end": collector.end_part,
            "on_end": collector.end,
        },
        max_header_count=MAX_HEADERS,
        max_header_size=MAX_HEADER,
    )
    try:
        parser.write(body)  # in one go, so that the data of a part is one slice of it
    except MultipartParseError as error:
        raise BrokenMultipart(f"Broken multipart/form-data at byte {error.offset}.") from None
    if not collector.has_ended:
        raise BrokenMultipart("The multipart/form-data does not end with its boundary.")
    return collector.parts


def _boundary(content_type: str) -> bytes:
    _, parameters = parse_options_header(content_type)
    boundary = parameters.get(b"boundary", b"")
    if not 1 <= len(boundary) <= MAX_BOUNDARY:
        raise BrokenMultipart(f"The Content-Type needs a boundary of 1 to {MAX_BOUNDARY} characters.")
    return boundary


def _refuse_endless(body: bytes, delimiter: bytes) -> None:
    """Keep from the parser what it goes through byte by byte: very many delimiters, or white space behind one."""
    if body.count(delimiter) > MAX_PAIRS:
        raise BrokenMultipart(f"The multipart/form-data has more than {MAX_PAIRS} parts.")
    end = 0
    while (start := body.find(delimiter, end)) >= 0:
        end = start + len(delimiter)
        behind = body[end : end + MAX_PADDING]
        if len(behind) == MAX_PADDING and not behind.strip(b" \t"):
            raise BrokenMultipart("White space without end stands behind a boundary.")


class _Collector:
    """Puts parts together from what the parser calls out."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.has_ended = False
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = self._data = b""

    def begin_part(self) -> None:
        self._headers = {}
        self._data = b""

    def begin_header(self) -> None:
        self._name = self._value = b""

    def take_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def take_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        self._headers[self._name.lower()] = self._value

    def take_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def end_part(self) -> None:
        disposition = read_disposition(self._headers.get(b"content-disposition", b""))
        content_type = self._headers.get(b"content-type", b"").decode("latin-1")
        self.parts.append(Part(disposition, content_type, self._data))

    def end(self) -> None:
        self.has_ended = True
