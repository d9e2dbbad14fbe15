"""Listings and capabilities are read leniently where it does no harm, and refused where a mail would be mistaken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ProtocolError
from app.protocols.pop3.capabilities import NO_CAPABILITIES, Capabilities, parse_capabilities
from app.protocols.pop3.listing import ListedMail, parse_listings, parse_stat
from app.protocols.pop3.reply import Pop3Reply, Status


def _reply(content: bytes) -> Pop3Reply:
    return Pop3Reply(Status.OK, content=content)


def test_mails_are_listed() -> None:
    """Sizes and names come together by number, the oldest first, whatever else stands in a line."""
    mails = parse_listings(_reply(b"10 200\r\n2 120 more\r\n"), _reply(b"2 whqtswO00WBw418f9t5JxYwZ\r\n10  \xe9 \r\n"))
    assert mails == [ListedMail(2, 120, "whqtswO00WBw418f9t5JxYwZ"), ListedMail(10, 200, "\\xe9")]


@pytest.mark.parametrize(
    ("sizes", "uids", "words"),
    [
        (b"1 2\r\n", b"", "no UIDL of mail 1"),
        (b"", b"1 a\r\n", "lists 0 mails, and 1 names"),
        (b"1\r\n", b"1 a\r\n", "LIST"),
        (b"1 -2\r\n", b"1 a\r\n", "LIST"),
        (b"1 2\r\n", b"1 \r\n", "UIDL"),
        (b"1 2\r\n", b"1 a b\r\n", "UIDL"),
        (b"1 2\r\n", b"1 " + b"x" * 256 + b"\r\n", "UIDL"),
        (b"12345678901 2\r\n", b"1 a\r\n", "LIST"),
    ],
)
def test_a_listing_that_mistakes_mails(sizes: bytes, uids: bytes, words: str) -> None:
    """A mail without a name, or a line that names none, is a ProtocolError."""
    with pytest.raises(ProtocolError, match=words):
        parse_listings(_reply(sizes), _reply(uids))


@given(st.binary(), st.binary())
def test_any_listing(sizes: bytes, uids: bytes) -> None:
    """Any bytes are a listing or a ProtocolError."""
    try:
        mails = parse_listings(_reply(sizes), _reply(uids))
    except ProtocolError:
        return
    assert all(mail.uid and mail.size_bytes >= 0 for mail in mails)


@pytest.mark.parametrize(("text", "count"), [("2 320", 2), ("0 0", 0), ("7", 7)])
def test_the_number_of_mails(text: str, count: int) -> None:
    """STAT says how many there are."""
    assert parse_stat(text) == count


@pytest.mark.parametrize("text", ["", "many", "-1 0", "²", "9" * 11])
def test_no_number_of_mails(text: str) -> None:
    """A STAT that does not say is a ProtocolError."""
    with pytest.raises(ProtocolError):
        parse_stat(text)


@pytest.mark.parametrize(
    ("content", "capabilities"),
    [
        (
            b"TOP\r\nUSER\r\nSASL plain LOGIN\r\nPIPELINING\r\nSTLS\r\n",
            Capabilities(pipelining=True, stls=True, sasl=("PLAIN", "LOGIN"), user=True, top=True),
        ),
        (b"SASL XOAUTH2\r\nSASL XOAUTH2 PLAIN\r\n", Capabilities(sasl=("XOAUTH2", "PLAIN"), user=False, top=False)),
        (b"SASL\r\n", Capabilities(user=False, top=False)),
        (b"\r\n\xff\xfe\r\nUIDL\r\n", Capabilities(user=True, top=False)),
        (b"", Capabilities(user=True, top=False)),
        (b"LOGIN-DELAY 900 user\r\n", Capabilities(top=False, login_delay_s=900)),
        (b"LOGIN-DELAY\r\n", Capabilities(top=False)),
        ("LOGIN-DELAY \u0661".encode(), Capabilities(top=False)),
        (b"LOGIN-DELAY " + b"9" * 5000, Capabilities(top=False)),
    ],
    ids=["all", "twice", "no mechanism", "nonsense", "nothing", "delay", "no delay", "odd delay", "endless delay"],
)
def test_capabilities(content: bytes, capabilities: Capabilities) -> None:
    """What is announced is made use of; who tells of no way to log in at all is asked for USER."""
    assert parse_capabilities(content) == capabilities


def test_without_capa_anything_may_be_tried() -> None:
    """A server from before CAPA may have TOP and USER, and surely no PIPELINING."""
    assert (NO_CAPABILITIES.top, NO_CAPABILITIES.user, NO_CAPABILITIES.pipelining) == (True, True, False)
