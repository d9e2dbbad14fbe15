"""Lists of the recipients that senders may name themselves: addresses, and whole domains."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from app.domain.address import parse_mailbox
from app.domain.errors import AddressError
from app.settings.values import split_list


def _recipients(items: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_address_or_domain(item) for item in items)


def _address_or_domain(item: str) -> str:
    """Return the entry as mailboxes have it: a domain of another script in its A-labels (RFC 5891)."""
    domain = item.removeprefix("@")
    try:
        return parse_mailbox(item).address if "@" in domain else parse_mailbox(f"any@{domain}").domain
    except AddressError:
        raise ValueError(f"{item!r} is no mail address and no domain; write ops@example.org or example.org") from None


# NoDecode: pydantic-settings would want JSON in the variable.
Recipients = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list), AfterValidator(_recipients)]
