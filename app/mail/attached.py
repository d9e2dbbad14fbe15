"""An attachment as a part of a mail. What its name and its type hold cannot leave their headers."""

import re
from collections.abc import Iterator

from app.domain.attachment import UNNAMED, Attachment
from app.domain.text import one_line
from app.mail.parameters import parameter
from app.mail.transfer import base64_blocks

UNKNOWN_TYPE = "application/octet-stream"  # RFC 2046 section 4.5.1
_RESTRICTED_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"  # RFC 6838 section 4.2
# RFC 2045 section 6.4: parts that hold parts, or a message, must not be encoded, and a file always is.
_MEDIA_TYPE = re.compile(rf"(?!(?i:multipart|message)/){_RESTRICTED_NAME}/{_RESTRICTED_NAME}")
_NOT_IN_OLD_NAME = re.compile(r"[^A-Za-z0-9 ._()+-]")
MAX_OLD_NAME = 60  # with `name=` around it, it fits a line of 76 columns


def attached(attachment: Attachment) -> Iterator[bytes]:
    """Yield the part, its octets in base64: they arrive as they are, whatever they are.

    The name stands in Content-Disposition (RFC 2183 section 2.3), in RFC 2231's form where it is not plain ASCII.
    For readers that know neither, Content-Type has an ASCII likeness of it. An encoded-word there would tell
    them more, but RFC 2047 section 5 forbids it, and readers of RFC 2231 would see two names.
    """
    name = one_line(attachment.name) or UNNAMED
    yield (
        f"Content-Type: {_media_type(attachment)}{parameter('name', _old_name(name))}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment{parameter('filename', name)}\r\n\r\n"
    ).encode()
    yield from base64_blocks(attachment.data)


def _media_type(attachment: Attachment) -> str:
    media_type = attachment.content_type.partition(";")[0].strip()
    return media_type if _MEDIA_TYPE.fullmatch(media_type) else UNKNOWN_TYPE


def _old_name(name: str) -> str:
    """Return the end of the name, where its suffix is, each character that may be misread as `_`."""
    return _NOT_IN_OLD_NAME.sub("_", name)[-MAX_OLD_NAME:]
