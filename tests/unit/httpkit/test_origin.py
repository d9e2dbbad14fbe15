"""Who a request comes from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.httpkit.origin import host_is_trusted, is_foreign

ALLOWED = frozenset({"alerts.example.org", "2001:db8::1"})


@pytest.mark.parametrize(
    "host",
    [
        b"localhost",
        b"LocalHost:8825",
        b"localhost.",
        b"127.0.0.1",
        b"127.0.0.1:8825",
        b"127.255.0.9:1",
        b"[::1]",
        b"[::1]:8825",
        b"Alerts.Example.org",
        b"alerts.example.org:443",
        b"[2001:db8::1]:8825",
    ],
)
def test_a_host_of_ours_is_trusted(host: bytes) -> None:
    """localhost, every loopback address and the allowed names are trusted with any port and in any case."""
    assert host_is_trusted(host, ALLOWED)


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"evil.example",
        b"localhost.evil.example",
        b"evil.localhost",
        b"127.0.0.1.evil.example",
        b"0.0.0.0:8825",
        b"10.0.0.1",
        b"[::2]",
        b"::1",
        b"localhost:port",
        b"localhost@evil.example",
        b"evil.example@localhost",
        b"localhost/",
        b"localhost, evil.example",
        b"[::1",
        b"localhost\xff",
        b"l" * 10_000,
    ],
)
def test_any_other_host_is_not_trusted(host: bytes) -> None:
    """A name that an attacker can point at this machine is not trusted, whatever it looks like."""
    assert not host_is_trusted(host, ALLOWED)


@given(st.binary(max_size=40))
def test_no_host_breaks_the_check(host: bytes) -> None:
    """Whatever bytes come as Host or Origin, the answer is yes or no."""
    assert host_is_trusted(host, ALLOWED) in {True, False}
    assert is_foreign(host, b"http://" + host, None) in {True, False}


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (b"localhost:8825", b"http://localhost:8825"),
        (b"LOCALHOST:8825", b"http://localhost:8825"),
        (b"[::1]:8825", b"http://[::1]:8825"),
        (b"alerts.example.org", b"https://alerts.example.org"),
        (b"alerts.example.org:443", b"https://alerts.example.org"),
        (b"alerts.example.org:80", b"http://alerts.example.org"),
    ],
)
def test_our_own_page_may_post(host: bytes, origin: bytes) -> None:
    """An Origin with the host and port of the Host is our own, behind a proxy that ends TLS too."""
    assert not is_foreign(host, origin, b"same-origin")


@pytest.mark.parametrize(
    "origin",
    [
        b"null",
        b"",
        b"http://evil.example",
        b"http://localhost",
        b"http://localhost:3000",
        b"http://127.0.0.1:8825",
        b"file://localhost:8825",
        b"localhost:8825",
        b"http://localhost:8825.evil.example",
        b"http://[::1",
    ],
)
def test_a_page_of_another_origin_may_change_nothing(origin: bytes) -> None:
    """Another name, another port or no origin at all: foreign."""
    assert is_foreign(b"localhost:8825", origin, None)


@pytest.mark.parametrize("site", [b"cross-site", b"same-site", b"invented"])
def test_the_browser_tells_on_foreign_pages(site: bytes) -> None:
    """Sec-Fetch-Site alone suffices; a page from another port of this host is foreign too."""
    assert is_foreign(b"localhost", None, site)


@pytest.mark.parametrize("site", [None, b"none", b"same-origin"])
def test_a_client_that_is_no_browser_may_post(site: bytes | None) -> None:
    """curl sends no Origin; an address that a person typed is no site."""
    assert not is_foreign(b"localhost", None, site)
