"""Relay URLs: every way to write one, and no secret in what is said of a wrong one."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ConfigurationError
from app.domain.relay import Relay, Security, parse_relay

SECRET = "hunter2"


def relay(security: Security, host: str, port: int, username: str = "", password: str = "") -> Relay:
    """Return a relay that is named after its host."""
    return Relay(name=host, host=host, port=port, security=security, username=username, password=password)


GOOD = {
    "smtp": ("smtp://mail.example.org", relay(Security.OPPORTUNISTIC, "mail.example.org", 25)),
    "port": ("smtp://mail.example.org:2525", relay(Security.OPPORTUNISTIC, "mail.example.org", 2525)),
    "starttls": ("smtp+starttls://mail.example.org", relay(Security.STARTTLS, "mail.example.org", 587)),
    "implicit TLS": ("smtps://mail.example.org/", relay(Security.IMPLICIT_TLS, "mail.example.org", 465)),
    "insecure": (" smtp+insecure://mail.example.org ", relay(Security.INSECURE, "mail.example.org", 25)),
    "upper case": ("SMTP://Mail.Example.ORG", relay(Security.OPPORTUNISTIC, "mail.example.org", 25)),
    "IPv6": ("smtp://[::1]:2525", relay(Security.OPPORTUNISTIC, "::1", 2525)),
    "IPv6, usual port": ("smtps://[2001:db8::1]", relay(Security.IMPLICIT_TLS, "2001:db8::1", 465)),
    "login": ("smtps://ops:pw@h.example", relay(Security.IMPLICIT_TLS, "h.example", 465, "ops", "pw")),
    "encoded user": (
        "smtps://ops%40example.org:p%2Fw%3A%25@h.example:1465",
        relay(Security.IMPLICIT_TLS, "h.example", 1465, "ops@example.org", "p/w:%"),
    ),
}


@pytest.mark.parametrize(("url", "expected"), GOOD.values(), ids=GOOD.keys())
def test_a_relay_url_is_read(url: str, expected: Relay) -> None:
    """Host, port with its default, security, user and password."""
    assert parse_relay(url) == expected


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_password_can_be_percent_encoded(password: str) -> None:
    """No character of a password is lost in the URL."""
    assert parse_relay(f"smtps://ops:{quote(password, safe='')}@h.example").password == password


def test_a_password_from_elsewhere_wins() -> None:
    """A file replaces what the URL says."""
    assert parse_relay("smtps://ops:old@h.example", password="new").password == "new"


BAD = {
    "empty": "",
    "no scheme": "mail.example.org:25",
    "another scheme": f"http://ops:{SECRET}@mail.example.org",
    "no host": f"smtp://ops:{SECRET}@",
    "path": f"smtp://ops:{SECRET}@mail.example.org/inbox",
    "query": f"smtp://mail.example.org?password={SECRET}",
    "fragment": f"smtp://mail.example.org#{SECRET}",
    "slash in the password": f"smtps://ops:a/{SECRET}@mail.example.org",
    "hash in the password": f"smtps://ops:{SECRET}#1@mail.example.org",
    "question mark in the password": f"smtps://ops:1?{SECRET}@mail.example.org",
    "port 0": f"smtp://ops:{SECRET}@mail.example.org:0",
    "port too great": f"smtp://ops:{SECRET}@mail.example.org:65536",
    "port no number": f"smtp://ops:{SECRET}@mail.example.org:smtp",
    "open bracket": f"smtp://ops:{SECRET}@[::1",
}


@pytest.mark.parametrize("url", BAD.values(), ids=BAD.keys())
def test_a_wrong_url_is_refused_without_its_secret(url: str) -> None:
    """The message tells how to write it, and repeats nothing of it, nor does its cause."""
    with pytest.raises(ConfigurationError, match=r"^relay: ") as caught:
        parse_relay(url)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_relay_shows_no_password() -> None:
    """Neither a log nor a traceback may hold it."""
    shown = parse_relay(f"smtps://ops:{SECRET}@h.example")
    assert SECRET not in repr(shown) + str(shown)


@pytest.mark.parametrize("url", ["smtp://mail.example.org:25", "smtps://[::1]:465"])
def test_a_relay_is_shown_as_it_is_written(url: str) -> None:
    """What is shown can be copied back into the settings."""
    assert str(parse_relay(url)) == url
