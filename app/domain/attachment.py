"""A file that came with an alert."""

from dataclasses import dataclass, field

UNNAMED = "attachment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Its name is one line without a path, `content_type` a media type of RFC 2045 in lower case.

    `data` is there from the intake to the journal, and again while the mail is rendered. In between only
    `size_bytes` is known: a queue full of files would not fit into memory.
    """

    name: str
    content_type: str
    size_bytes: int
    data: bytes = field(default=b"", repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether all of its data is there."""
        return len(self.data) == self.size_bytes
