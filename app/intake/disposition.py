"""The Content-Disposition of a part: the name of its field, and of its file if it is one."""

from dataclasses import dataclass
from email.message import Message
from typing import cast

from app.domain.charset import decode

# What browsers write for what cannot stand between quotes (HTML standard, multipart/form-data encoding algorithm).
_BROWSER_ESCAPES = (("%22", '"'), ("%0D", "\r"), ("%0A", "\n"))
Extended = tuple[str | None, str | None, str]  # charset, language, text


@dataclass(frozen=True, slots=True)
class Disposition:
    """What a part is, as it says itself. `filename` is None for a field, and may be empty for a file."""

    name: str
    filename: str | None


def read_disposition(raw: bytes) -> Disposition:
    """Return what the header field says, in UTF-8, else Latin-1.

    A file name in the extended form (RFC 2231 sections 3 and 4) outweighs a plain one, as RFC 6266 section 4.3
    has it; RFC 7578 section 4.2 wants only the plain one, and not every client knows. Extended forms that
    contradict each other are left out.
    """
    names: dict[str, str] = {}
    for name, value in _parameters(_text(raw)):
        names[name.lower()] = _extended(value) if isinstance(value, tuple) else _unescaped(value)
    return Disposition(names.get("name", ""), names.get("filename"))


def _parameters(text: str) -> list[tuple[str, str | Extended]]:
    """Return the parameters in their order, the extended ones last."""
    message = Message()
    message["Content-Disposition"] = text
    try:
        parameters = message.get_params([], "Content-Disposition")
    except (TypeError, ValueError):  # filename* beside filename*0, or a number of thousands of digits
        # RFC 2231 section 3: the asterisk makes a parameter an extended one; without it each is a plain one.
        return _parameters(text.replace("*", "_"))
    return cast("list[tuple[str, str | Extended]]", parameters)[1:]  # typeshed knows only plain ones


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _extended(value: Extended) -> str:
    charset, _, text = value  # the bytes that were escaped, as Latin-1
    return decode(text.encode("latin-1", "replace"), charset or "", errors="replace").text


def _unescaped(value: str) -> str:
    for escape, character in _BROWSER_ESCAPES:
        value = value.replace(escape, character)
    return value
