"""Mail addresses: parsed once at the edge, safe in envelopes and headers ever after."""

import re
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

import idna

from app.domain.errors import AddressError

# RFC 5321 section 4.1.2: Dot-string of atext; quoted local parts are refused, nobody has one.
# RFC 6531 section 3.3: any character outside of ASCII is atext too.
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010FFFF-]+"
_LOCAL = re.compile(rf"{_ATEXT}(\.{_ATEXT})*")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
_LITERAL = re.compile(r"\[(IPv6:)?[0-9A-Fa-f:.]+\]")  # RFC 5321 section 4.1.3
_TO_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
MAX_LOCAL = 64  # octets, RFC 5321 section 4.5.3.1.1
MAX_DOMAIN = 255  # octets, RFC 5321 section 4.5.3.1.2


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address, and the name that stands before it in a header."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        """The part after the @."""
        return self.address.rpartition("@")[2]


def parse_mailbox(text: str) -> Mailbox:
    """Return the mailbox written as `text`: `ops@example.org` or `Ops <ops@example.org>`.

    Raises AddressError when it holds a control character or is no address of RFC 5321 section 4.1.2.
    A domain in another script becomes its A-labels (RFC 5891); a local part stays as it is (RFC 6531).
    """
    if not text.isprintable():
        raise AddressError(f"{text!r} holds a control character; write the address on one line")
    name, address = _name_and_address(text.strip())
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local.encode()) > MAX_LOCAL:
        raise AddressError(f"{text!r} is no mail address; write it as name@example.org")
    return Mailbox(address=f"{local}@{_ascii_domain(domain, text)}", name=name)


def parse_mailboxes(text: str) -> tuple[Mailbox, ...]:
    """Return the mailboxes of a list with `;` or `,` between them, in order, each address once."""
    by_address: dict[str, Mailbox] = {}
    for part in re.split(r"[;,]", text):
        if part.strip():
            mailbox = parse_mailbox(part)
            by_address.setdefault(mailbox.address.lower(), mailbox)
    return tuple(by_address.values())


def folded(text: str) -> str:
    """Return an address as addresses are compared: capital letters of ASCII in lower case, and no others.

    Domains are ASCII here. In a local part, what Unicode folds may be another mailbox: the Kelvin sign is no `k`.
    """
    return text.translate(_TO_LOWER)


def _name_and_address(text: str) -> tuple[str, str]:
    """Split RFC 5322 section 3.4's `name-addr`. email.utils.parseaddr would guess at what is wrong.

    An @ in an unquoted name is a second address, and splits nothing.
    """
    if not text.endswith(">") or ("@" in text.partition("<")[0] and not text.startswith('"')):
        return "", text
    name, _, address = text[:-1].partition("<")
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])  # RFC 5322 section 3.2.4: quoted-pair
    return name, address


def _ascii_domain(domain: str, text: str) -> str:
    ascii_domain = domain
    if not domain.isascii():
        try:
            # UTS 46 first: people write capital letters and full-width dots.
            ascii_domain = idna.encode(domain, uts46=True).decode()
        except UnicodeError as error:  # IDNAError is one
            raise AddressError(f"{text!r} has a domain that is no host name: {error}") from error
    if len(ascii_domain) > MAX_DOMAIN or not (_DOMAIN.fullmatch(ascii_domain) or _LITERAL.fullmatch(ascii_domain)):
        raise AddressError(f"{text!r} has a domain that is no host name; write it as name@example.org")
    return ascii_domain
