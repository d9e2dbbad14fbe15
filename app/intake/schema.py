"""The native alert as it comes in: its fields, their bounds, and how each is cleaned."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

from app.domain.address import Mailbox, parse_mailbox
from app.domain.alert import Link, Severity, Status
from app.domain.errors import AddressError
from app.domain.text import one_line, plain
from app.intake.attachments import MAX_ATTACHMENTS
from app.intake.base64_text import decode_base64

MAX_SUBJECT = 500  # characters; with the server name still well below the 998 bytes of a header line
MAX_CONTENT = 256 * 1024  # bytes of UTF-8; a mail of more is read by nobody, and many relays stop at 10 MB
MAX_SOURCE = 256  # characters; a host and a path fit
MAX_KEY = 512  # characters; the keys that tools build from labels fit
MAX_LABELS = 64  # Prometheus, too, seldom has more than 30
MAX_LABEL_NAME = 128  # characters
MAX_LABEL_VALUE = 1024  # characters; longer text belongs into the content
MAX_LINKS = 16  # nobody follows more
MAX_TITLE = 500  # characters of a link's title
MAX_TO = 50  # whom one alert may be addressed to by itself; more people belong into a receiver
MAX_URL = 2048  # characters; what every browser opens
SCHEMES = frozenset({"http", "https", "mailto"})  # a javascript: or file: link in a mail is an attack


def _bad(reason: str) -> PydanticCustomError:
    # The text passes as a value, for braces in it would be read as a template.
    return PydanticCustomError("alert", "{reason}", {"reason": reason})


def _line(most: int, *, least: int = 0) -> Callable[[str], str]:
    """Return what cleans a text to one line of `least` to `most` characters."""

    def clean(text: str) -> str:
        line = one_line(text)
        if least <= len(line) <= most:
            return line
        raise _bad(f"must have {least} to {most} characters on one line, and has {len(line)}")

    return clean


_subject = _line(MAX_SUBJECT, least=1)
_title = _line(MAX_TITLE)
_label_name = _line(MAX_LABEL_NAME, least=1)
_label_text = _line(MAX_LABEL_VALUE)


def _content(text: str) -> str:
    content = plain(text)
    size = len(content) if content.isascii() else len(content.encode())
    if size > MAX_CONTENT:
        raise _bad(f"must have at most {MAX_CONTENT} bytes, and has {size}")
    return content


def _label_value(value: object) -> str:
    match value:
        case str():
            return _label_text(value)
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _label_text(str(value))
        case _:
            raise _bad("must be a string, a number, true or false")


def _few_labels(value: object) -> object:
    """Counted before the first is looked at, so that a body full of bad ones is refused at once."""
    if isinstance(value, dict) and len(value) > MAX_LABELS:
        raise _bad(f"must be at most {MAX_LABELS} labels, and are {len(value)}")
    return value


def _folded(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _bad("must lie between the years 1 and 9999 in UTC") from None


def _link(value: object) -> Link:
    match value:
        case str():
            return Link(_url(value))
        case {"url": str(url), "title": str(title)}:
            return Link(_url(url), _title(title))
        case {"url": str(url)}:
            return Link(_url(url))
    raise _bad("must be a URL, or an object with a `url` and perhaps a `title`")


def clean_url(text: str) -> str:
    """Return a URL that a mail may offer to click. Raises ValueError."""
    try:
        return _url(text)
    except PydanticCustomError as error:
        raise ValueError(error.message()) from None


def _url(text: str) -> str:
    url = one_line(text).replace(" ", "%20")  # RFC 3986 section 2.1; people paste URLs with blanks
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _bad("must be a URL") from None
    target = parts.path if parts.scheme == "mailto" else parts.netloc
    if parts.scheme not in SCHEMES or not target or len(url) > MAX_URL:
        raise _bad(f"must be an http, https or mailto URL of at most {MAX_URL} characters")
    return url


def _base64(value: object) -> bytes:
    try:
        if isinstance(value, str):
            return decode_base64(value)
    except ValueError:
        pass
    raise _bad("must be base64 (RFC 4648)")


def _recipients(value: object) -> list[Mailbox]:
    texts = re.split("[;,]", value) if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _bad("must be a mail address, or an array of them")
    if len(texts) > MAX_TO:
        raise _bad(f"must be at most {MAX_TO} addresses, and are {len(texts)}")
    try:
        return list(dict.fromkeys(parse_mailbox(text) for text in texts if text.strip()))
    except AddressError:
        raise _bad("must be mail addresses, such as ops@example.org") from None


Moment = Annotated[datetime, AfterValidator(_utc)]
LabelName = Annotated[str, AfterValidator(_label_name)]
LabelValue = Annotated[str, PlainValidator(_label_value, json_schema_input_type=str | int | float | bool | None)]
LinkField = Annotated[Link, PlainValidator(_link, json_schema_input_type=str | dict[str, str])]
Base64 = Annotated[bytes, PlainValidator(_base64, json_schema_input_type=str)]
Recipients = Annotated[list[Mailbox], PlainValidator(_recipients, json_schema_input_type=list[str] | str)]


class NativeAttachment(BaseModel):
    """A file that goes with the mail. Without a content type its name tells what it is."""

    model_config = ConfigDict(hide_input_in_errors=True)

    name: str | None = ""
    content_type: str | None = ""
    content: Annotated[Base64, Field(json_schema_extra={"contentEncoding": "base64"})]


class NativeAlert(BaseModel):
    """An alert in the system's own JSON. A field that is null counts as not given.

    Times are RFC 3339; one without an offset is UTC, and a number counts Unix seconds.
    """

    model_config = ConfigDict(
        extra="allow",  # unknown fields never cost an alert
        hide_input_in_errors=True,  # a value may be a secret
        json_schema_extra={"examples": [{"subject": "Disk full on web1", "severity": "error"}]},
    )

    subject: Annotated[
        str, AfterValidator(_subject), Field(json_schema_extra={"minLength": 1, "maxLength": MAX_SUBJECT})
    ]
    content: Annotated[str, AfterValidator(_content)] | None = ""
    severity: Annotated[Severity, BeforeValidator(_folded)] | None = Severity.WARNING
    status: Annotated[Status, BeforeValidator(_folded)] | None = Status.FIRING
    source: Annotated[str, AfterValidator(_line(MAX_SOURCE))] | None = ""
    labels: (
        Annotated[dict[LabelName, LabelValue], BeforeValidator(_few_labels), Field(max_length=MAX_LABELS)] | None
    ) = None
    key: Annotated[str, AfterValidator(_line(MAX_KEY))] | None = ""
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    links: Annotated[list[LinkField], Field(max_length=MAX_LINKS)] | None = None
    attachments: Annotated[list[NativeAttachment], Field(max_length=MAX_ATTACHMENTS)] | None = None
    to: Recipients | None = None
