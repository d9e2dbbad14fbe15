"""Addresses: parsed once, and safe ever after."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.address import Mailbox, parse_mailbox, parse_mailboxes
from app.domain.errors import AddressError
from tests.support.mails import any_text

GOOD = {
    "plain": ("ops@example.org", Mailbox("ops@example.org")),
    "blanks around": ("  ops@example.org ", Mailbox("ops@example.org")),
    "angle brackets": ("<ops@example.org>", Mailbox("ops@example.org")),
    "name": ("Ops Team <ops@example.org>", Mailbox("ops@example.org", "Ops Team")),
    "quoted name": ('"Ops, night" <ops@example.org>', Mailbox("ops@example.org", "Ops, night")),
    "name in another script": ("運維 <ops@example.org>", Mailbox("ops@example.org", "運維")),
    "tag and dots": ("a.b+c_d@mail.example.org", Mailbox("a.b+c_d@mail.example.org")),
    "host without a dot": ("root@localhost", Mailbox("root@localhost")),
    "address literal": ("root@[127.0.0.1]", Mailbox("root@[127.0.0.1]")),
    "IPv6 literal": ("root@[IPv6:::1]", Mailbox("root@[IPv6:::1]")),
    "domain in another script": ("ops@bücher.example", Mailbox("ops@xn--bcher-kva.example")),
    "domain in capitals of another script": ("ops@BÜCHER.example", Mailbox("ops@xn--bcher-kva.example")),
    "domain that IDNA 2003 wrote in another way": ("ops@faß.example", Mailbox("ops@xn--fa-hia.example")),
    "full-width dots": ("ops@例え。テスト", Mailbox("ops@xn--r8jz45g.xn--zckzah")),
    "local part in another script": ("運維@example.org", Mailbox("運維@example.org")),
    "both in another script": ("Ops <運維@bücher.example>", Mailbox("運維@xn--bcher-kva.example", "Ops")),
    "longest local part": ("a" * 64 + "@example.org", Mailbox("a" * 64 + "@example.org")),
}


@pytest.mark.parametrize(("text", "mailbox"), GOOD.values(), ids=GOOD.keys())
def test_an_address_is_read(text: str, mailbox: Mailbox) -> None:
    """With and without a name."""
    assert parse_mailbox(text) == mailbox


BAD = {
    "empty": "",
    "no at": "ops",
    "no domain": "ops@",
    "no local part": "@example.org",
    "header injection": "ops@example.org\r\nBcc: x@example.org",
    "injection in the name": "Ops\nBcc: x@example.org <ops@example.org>",
    "command injection": "ops@example.org> SIZE=1\r\nDATA",
    "NUL": "ops\x00@example.org",
    "line separator": "ops\u2028@example.org",
    "lone surrogate": "ops\udc80@example.org",
    "blank in the domain": "ops@exam ple.org",
    "blank in the local part": "night ops@example.org",
    "two at": "ops@example.org@example.com",
    "two addresses": "ops@example.org, boss@example.org",
    "address as a name": "ops@example.org <other@example.org>",
    "text behind": "Ops <ops@example.org> night",
    "open bracket": "Ops <ops@example.org",
    "comment": "ops(night)@example.org",
    "group": "team: ops@example.org;",
    "quoted local part": '"ops team"@example.org',
    "source route": "<@relay.example:ops@example.org>",
    "local part too long": "a" * 65 + "@example.org",
    "local part too long in UTF-8": "維" * 22 + "@example.org",
    "blank of another script in the local part": "night\u3000ops@example.org",
    "control character of another script in the local part": "ops\u0085@example.org",
    "dots": "ops..night@example.org",
    "dot at the end": "ops@example.org.",
    "empty label": "ops@example..org",
    "hyphen first": "ops@-example.org",
    "domain too long": "ops@" + "a." * 130 + "org",
    "domain that has no A-label": "ops@ü..example",
    "symbol in the domain": "ops@☃.example",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_is_no_address_is_refused(text: str) -> None:
    """A typing error is told, not guessed at; nothing can break out of a header or a command."""
    with pytest.raises(AddressError, match=r"address|domain"):
        parse_mailbox(text)


@given(any_text | st.from_regex(r"[^@]{0,9}<?[a-zé維.\r\n <>\"]{0,9}@[a-zü.\r\n <>-]{0,9}>?", fullmatch=True))
def test_what_is_read_is_safe(text: str) -> None:
    """Whatever goes in: what comes out is printable, without blanks and brackets, or an AddressError."""
    try:
        mailbox = parse_mailbox(text)
    except AddressError:
        return
    assert mailbox.domain.isascii()
    assert mailbox.address.isprintable()
    assert not set(mailbox.address) & set(' <>",;:\\()')
    assert mailbox.name.isprintable()
    assert parse_mailbox(mailbox.address) == Mailbox(mailbox.address)


def test_the_domain_is_what_stands_after_the_at() -> None:
    """Message-IDs are made with it."""
    assert parse_mailbox("Ops <ops@mail.example.org>").domain == "mail.example.org"


LISTS = {
    "semicolons": ("a@x.example;b@x.example", ["a@x.example", "b@x.example"]),
    "commas and blanks": (" a@x.example , b@x.example,", ["a@x.example", "b@x.example"]),
    "one": ("a@x.example", ["a@x.example"]),
    "none": (" ; ,", []),
    "twice": ("a@x.example; b@x.example; A@x.example", ["a@x.example", "b@x.example"]),
}


@pytest.mark.parametrize(("text", "addresses"), LISTS.values(), ids=LISTS.keys())
def test_a_list_is_read_in_order_each_address_once(text: str, addresses: list[str]) -> None:
    """Nobody gets a mail twice because a list names him twice."""
    assert [mailbox.address for mailbox in parse_mailboxes(text)] == addresses


def test_one_bad_address_spoils_the_list() -> None:
    """A recipient who would get nothing is told at the start, by name."""
    with pytest.raises(AddressError, match="boss@"):
        parse_mailboxes("ops@example.org; boss@")
