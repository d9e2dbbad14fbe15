"""How people write values in TOML and in the environment: lists, names, addresses, secrets."""

import json
import re
import shlex
import shutil
from ipaddress import ip_address, ip_network
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainValidator, SecretStr
from pydantic_settings import NoDecode

from app.domain.address import Mailbox, parse_mailbox, parse_mailboxes
from app.domain.errors import AddressError
from app.domain.text import one_line

_TOKEN = re.compile("[!-~]+")
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]{1,255}")
# It stands in logs and in the names of systemd's credentials; the colon is for IPv6 addresses.
_RELAY_NAME = re.compile(r"[A-Za-z0-9:][A-Za-z0-9._:-]{0,63}")
# It stands in List-Id, in web addresses, and before the @ of the SMTP intake, where a "+" ends it.
_RECEIVER_NAME = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_SELECTOR = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
_PEM = re.compile(r"\s*-----BEGIN [A-Z ]*PRIVATE KEY-----\s.*-----END [A-Z ]*PRIVATE KEY-----\s*", re.DOTALL)


def split_list(value: object) -> tuple[str, ...]:
    """Return the items of a TOML list, or of a string: one list of JSON, or items with `;` or `,` between them."""
    if isinstance(value, str):
        value = _json_list(value) if value.lstrip().startswith("[") else re.split(r"[;,]", value)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError('is no list; write "a, b" or ["a", "b"]')
    return tuple(item.strip() for item in value if item.strip())


def _json_list(text: str) -> object:
    """Return what the text holds, None if it is no JSON: for a list in the environment written as in the file."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


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


def _pem(value: SecretStr) -> SecretStr:
    if not _PEM.fullmatch(value.get_secret_value()):
        raise ValueError("is no private key in PEM form, from BEGIN to END")
    return value


def _relay_name(value: str) -> str:
    if not _RELAY_NAME.fullmatch(value):
        raise ValueError("is no name of a relay; write up to 64 letters, digits, dots and hyphens")
    return value


def _receiver_name(value: str) -> str:
    if not _RECEIVER_NAME.fullmatch(value):
        raise ValueError("is no name of a receiver; write up to 64 letters, digits, dots and hyphens")
    return value


def _web_address(value: SecretStr) -> SecretStr:
    parts = _url_parts(value.get_secret_value())
    if parts is None or parts.scheme not in {"http", "https"}:
        raise ValueError("is no web address; write https://host/path")
    return value


def _command(value: object) -> tuple[str, ...]:
    """Split as a shell would, without being one; that the program is there is found out now, not in an emergency."""
    try:
        words = tuple(shlex.split(value)) if isinstance(value, str) else ()
    except ValueError:
        words = ()
    if not words:
        raise ValueError('is no command; write the program and its arguments, such as "/usr/local/bin/page --all"')
    if shutil.which(words[0]) is None:
        raise ValueError(f"{words[0]!r} is no program that can be run here; write its whole path")
    return words


def _domain_name(value: str) -> str:
    if not _HOST_NAME.fullmatch(value):
        raise ValueError("is no domain; write it as example.org")
    return value.lower()


def _selector(value: str) -> str:
    # RFC 6376 section 3.1: labels with dots between them, for it is a part of a domain name.
    if not _SELECTOR.fullmatch(value):
        raise ValueError("is no selector; write letters, digits and hyphens, such as mail2026")
    return value


def _token_url(value: str) -> str:
    # RFC 6749 section 3.2: TLS is required, for the client's secret is in the request.
    parts = _url_parts(value)
    if parts is None or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))):
        raise ValueError("is no address with TLS; write https://host/path")
    if "@" in parts.netloc:
        raise ValueError("holds a user or a password; these are client_id and client_secret_file")
    if "#" in value:  # RFC 6749 section 3.2
        raise ValueError("has a fragment; leave out the # and what follows it")
    return value


def _url_parts(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port  # read here because a bad one raises only when asked for
    except ValueError:
        return None
    return parts if parts.hostname and text.isprintable() and " " not in text else None


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


def is_loopback(host: str | None) -> bool:
    """Say whether `host` is this machine itself, by name or address."""
    return host == "localhost" or (host is not None and is_address(host) and ip_address(host).is_loopback)


Name = Annotated[str, AfterValidator(_name)]
ListeningHost = Annotated[str, AfterValidator(_listening_host)]
HeloName = Annotated[str, AfterValidator(_helo_name)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
Token = Annotated[SecretStr, AfterValidator(_token)]
DomainName = Annotated[str, AfterValidator(_domain_name)]
Selector = Annotated[str, AfterValidator(_selector)]
Pem = Annotated[SecretStr, AfterValidator(_pem)]
RelayName = Annotated[str, AfterValidator(_relay_name)]
ReceiverName = Annotated[str, AfterValidator(_receiver_name)]
TokenUrl = Annotated[str, AfterValidator(_token_url)]
WebAddress = Annotated[Secret, AfterValidator(_web_address)]  # what reports to a service often has its key in it
# NoDecode: pydantic-settings would want JSON in the variable.
HostNames = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list), AfterValidator(_host_names)]
ReceiverNames = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list)]
Command = Annotated[tuple[str, ...], NoDecode, PlainValidator(_command)]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list), AfterValidator(_networks)]
OneMailbox = Annotated[Mailbox | None, NoDecode, PlainValidator(_one_mailbox)]
SomeMailboxes = Annotated[tuple[Mailbox, ...], NoDecode, PlainValidator(_some_mailboxes)]
