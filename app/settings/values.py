"""How people write values in TOML and in the environment: durations, sizes, lists, addresses."""

import re
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainValidator, SecretStr
from pydantic_settings import NoDecode

from app.domain.address import Mailbox, parse_mailbox, parse_mailboxes
from app.domain.errors import AddressError
from app.domain.text import one_line

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
SIZES = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}
_DURATION = re.compile(r"(\d{1,9})\s*([smhd])")
_SIZE = re.compile(r"(\d{1,12})\s*(KiB|MiB|)")
_TOKEN = re.compile("[!-~]+")
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]{1,255}")


def parse_duration(value: object) -> timedelta:
    """Return the time that "30s", "10m", "24h" or "30d" says. A bare number is refused: what unit?"""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('is no duration; write a number and a unit, such as "30s", "10m", "24h" or "30d"')
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def parse_byte_count(value: object) -> int:
    """Return the bytes that 1048576, "512KiB" or "1MiB" says."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('is no size; write bytes, such as 1048576, or "512KiB" or "1MiB"')
    return int(match[1]) * SIZES[match[2]]


def split_list(value: object) -> tuple[str, ...]:
    """Return the items of a TOML list, or of a string with `;` or `,` between them."""
    items = re.split(r"[;,]", value) if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise ValueError('is no list; write "a, b" or ["a", "b"]')
    return tuple(item.strip() for item in items if item.strip())


def _one_mailbox(value: object) -> Mailbox | None:
    if value is None or isinstance(value, Mailbox):
        return value
    if not isinstance(value, str):
        raise ValueError("is no mail address; write it as name@example.org")  # noqa: TRY004 - pydantic collects ValueError
    try:
        return parse_mailbox(value)
    except AddressError as error:
        raise ValueError(str(error)) from None


def _some_mailboxes(value: object) -> tuple[Mailbox, ...]:
    try:
        return parse_mailboxes(";".join(split_list(value)))
    except AddressError as error:
        raise ValueError(str(error)) from None


def _networks(items: tuple[str, ...]) -> tuple[str, ...]:
    for item in items:
        try:
            ip_network(item, strict=False)
        except ValueError:
            raise ValueError(f"{item!r} is no address or network; write 10.0.0.5 or 10.0.0.0/24") from None
    return items


def _host_names(items: tuple[str, ...]) -> tuple[str, ...]:
    for item in items:
        if not (_HOST_NAME.fullmatch(item) or is_address(item)):
            raise ValueError(f"{item!r} is no host name; write it without scheme, port or path")
    return tuple(item.lower() for item in items)


def _listening_host(value: str) -> str:
    if not (_HOST_NAME.fullmatch(value) or is_address(value)):
        raise ValueError('is no address or host name; write "127.0.0.1", "::1" or "0.0.0.0"')
    return value


def _helo_name(value: str) -> str:
    # RFC 5321 section 4.1.1.1: a domain, or an address literal in brackets (section 4.1.3).
    literal = value.removeprefix("[").removesuffix("]").removeprefix("IPv6:")
    if not (_HOST_NAME.fullmatch(value) or (value.startswith("[") and is_address(literal))):
        raise ValueError('is no host name or address literal; write "mail.example.org" or "[192.0.2.1]"')
    return value


def _name(value: str) -> str:
    cleaned = one_line(value)
    if not cleaned:
        raise ValueError("is empty")
    return cleaned


def _secret(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if not secret or not secret.isprintable():
        raise ValueError("is empty, or holds control characters")
    return value


def _token(value: SecretStr) -> SecretStr:
    # It travels in an Authorization header (RFC 6750 section 2.1; we allow all visible ASCII).
    if not _TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("is empty, or holds other characters than visible ASCII")
    return value


def is_address(text: str) -> bool:
    """Say whether `text` is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
ByteCount = Annotated[int, BeforeValidator(parse_byte_count)]
Name = Annotated[str, AfterValidator(_name)]
ListeningHost = Annotated[str, AfterValidator(_listening_host)]
HeloName = Annotated[str, AfterValidator(_helo_name)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
Token = Annotated[SecretStr, AfterValidator(_token)]
# NoDecode: pydantic-settings would want JSON in the variable.
HostNames = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list), AfterValidator(_host_names)]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list), AfterValidator(_networks)]
OneMailbox = Annotated[Mailbox | None, NoDecode, PlainValidator(_one_mailbox)]
SomeMailboxes = Annotated[tuple[Mailbox, ...], NoDecode, PlainValidator(_some_mailboxes)]
