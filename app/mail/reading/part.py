"""A part of a mail: what it says of itself, and its octets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.alert import NOTHING
from app.mail.reading.headers import Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part, its transfer encoding undone.

    `content_type` is a media type in lower case, `parameters` are those of the Content-Type by names in lower case.
    `disposition` is `inline`, `attachment`, what else the mail says (RFC 2183), or "". `name` is one line as the
    sender wrote it, a path and all, "" for none; `file_name` is never empty.
    `data` of a multipart is empty, that of a `message/rfc822` is the whole mail inside: it can be read by itself.
    `depth` counts the multiparts around the part, and `parent` is the index of the innermost of them.
    """

    content_type: str
    parameters: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    disposition: str = ""
    name: str = ""
    file_name: str = ""
    headers: Headers = field(default_factory=Headers, repr=False)
    data: bytes = field(default=b"", repr=False)
    depth: int = 0
    parent: int | None = None
    is_multipart: bool = False

    @property
    def main_type(self) -> str:
        """What stands before the slash of the media type."""
        return self.content_type.partition("/")[0]

    @property
    def is_message(self) -> bool:
        """Whether `data` is a mail itself (RFC 2046 section 5.2.1, RFC 6532 section 3.7)."""
        return self.content_type in {"message/rfc822", "message/global", "message/news"}

    @property
    def content_id(self) -> str:
        """What the HTML calls the part by in a `cid:` URL (RFC 2392); "" for none."""
        return self.headers.raw("Content-ID").strip("<>")
