"""A format: how the bodies of one tool are recognised, and how alerts are read from them.

To add one, put a module with a `FORMAT` into `app/intake/formats/`, and a real body into `tests/payloads/`, as
`NAME.json` or `NAME-variant.json`; where the tool tells when the trouble is over, its twin as `NAME-resolved.json`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from app.domain.errors import MailAlertError
from app.intake.attachments import Upload
from app.intake.incoming import LONG_AGO, Reading

NOTHING: Mapping[str, Any] = MappingProxyType({})


class NotUnderstood(MailAlertError):
    """The body is not what its format expects; it is mailed as it came. The message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One request body as formats see it, taken apart once for all of them.

    `document` is the JSON value that the body holds, or the fields of a form as a dict of strings, or None if it is
    neither; the `pairs` of a form are its fields as they came. `headers` have names in lower case; `query` holds the
    last value of each name. `files` come from multipart, or are the whole body where it is no text. `text` is the
    body as text where there is no document, and `warnings` tell what was repaired to get here.
    """

    body: bytes = field(default=b"", repr=False)
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: NOTHING, repr=False)
    query: Mapping[str, str] = field(default_factory=lambda: NOTHING, repr=False)
    document: object = field(default=None, repr=False)
    pairs: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    text: str = field(default="", repr=False)
    files: tuple[Upload, ...] = ()
    warnings: tuple[str, ...] = ()
    at: datetime = LONG_AGO

    @property
    def is_form(self) -> bool:
        """Whether the document is made of the fields of a form."""
        return bool(self.pairs)

    @property
    def object(self) -> Mapping[str, Any]:
        """The document if it is a JSON object or a form, else an empty mapping."""
        return self.document if isinstance(self.document, dict) else NOTHING

    @property
    def array(self) -> list[Any]:
        """The document if it is a JSON array, else an empty list."""
        return self.document if isinstance(self.document, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """`name` is the last part of its own URL, /alerts/{name}; `tool` is who sends it, "" if the format is ours.

    `recognises` looks at shape and headers alone, quickly, and never raises; among the tools at most one recognises a
    body. It is not asked about a JSON object with a `subject`, which makes an alert native, unless the tool
    `has_subjects` of its own; one that `yields` is asked after all other tools. `read` raises NotUnderstood (ours
    also Rejected) and nothing else, whatever the document holds; a Reading without alerts means that there is rightly
    nothing to tell. It need not hold the warnings and files of the payload, nor the notes of its alerts: all formats
    get these added. Both are pure.
    """

    name: str
    tool: str
    recognises: Callable[[Payload], bool]
    read: Callable[[Payload], Reading]
    has_subjects: bool = False
    yields: bool = False
