"""Where a token may stand in a request."""

from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.httpkit.credentials import Fields, challenge, credentials_in, without_credentials

SECRET = "s3cret:ö+?/".encode()
NTFY = urlsafe_b64encode(b"Bearer " + SECRET)


def basic(pair: bytes) -> Fields:
    return {b"authorization": b"Basic " + b64encode(pair)}


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        pytest.param({b"authorization": b"Bearer " + SECRET}, b"", id="Bearer"),
        pytest.param({b"authorization": b"bearer  " + SECRET + b" "}, b"", id="untidy Bearer"),
        pytest.param(basic(b":" + SECRET), b"", id="password"),
        pytest.param(basic(b"any user:" + SECRET), b"", id="password of a user"),
        pytest.param({b"x-gotify-key": SECRET}, b"", id="Gotify"),
        pytest.param({}, b"a=1&token=s3cret%3A%C3%B6%2B%3F%2F&b", id="query"),
        pytest.param({}, "token=s3cret:ö+?/".encode(), id="raw query"),
        pytest.param({}, b"auth=" + NTFY, id="ntfy"),
        pytest.param({}, b"auth=" + NTFY.rstrip(b"="), id="ntfy without padding"),
        pytest.param({}, b"auth=" + b64encode(b"Bearer " + SECRET), id="ntfy in the other base64"),
        pytest.param({}, b"auth=" + urlsafe_b64encode(b"Basic " + b64encode(b"u:" + SECRET)), id="ntfy, Basic"),
    ],
)
def test_the_token_is_found(fields: Fields, query: bytes) -> None:
    """Bearer, Basic, Gotify's field and two kinds of query do, with colons, pluses and beyond ASCII."""
    assert credentials_in(fields, query) == [SECRET]


def test_a_user_without_a_password_is_the_token() -> None:
    """A tool that takes nothing but a URL may have it as https://TOKEN@host/."""
    assert credentials_in(basic(b"t0ken:"), b"") == [b"t0ken"]


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        pytest.param({}, b"", id="nothing"),
        pytest.param({b"authorization": b""}, b"", id="empty"),
        pytest.param({b"authorization": b"Bearer "}, b"", id="empty Bearer"),
        pytest.param({b"authorization": SECRET}, b"", id="bare"),
        pytest.param({b"authorization": b"Digest " + SECRET}, b"", id="another scheme"),
        pytest.param({b"authorization": b"Basic " + SECRET}, b"", id="no base64"),
        pytest.param(basic(b"nocolon"), b"", id="no colon"),
        pytest.param({b"x-gotify-key": b" "}, b"", id="empty Gotify"),
        pytest.param({}, b"token=&auth=&auth", id="empty query"),
        pytest.param({}, b"auth=A", id="broken ntfy"),
        pytest.param({}, b"key=token&tokens=1", id="other names"),
    ],
)
def test_no_token_is_none(fields: Fields, query: bytes) -> None:
    """What is no token is not taken for one."""
    assert credentials_in(fields, query) == []


def test_all_places_count() -> None:
    """Where a proxy wants its own Authorization, the token in the URL is found all the same."""
    found = credentials_in({b"authorization": b"Bearer a", b"x-gotify-key": b"b"}, b"token=c&auth=QmVhcmVyIGQ")
    assert found == [b"a", b"b", b"c", b"d"]


def test_a_request_makes_few_guesses() -> None:
    """A thousand tokens in one query would be a thousand guesses, counted as one."""
    assert credentials_in({}, b"&".join(b"token=%d" % number for number in range(1000))) == [b"0"]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        (b"token=a", b""),
        (b"a=1&token=x&b=2", b"a=1&b=2"),
        (b"AUTH=x&b", b"b"),
        (b"t%6fken=x&a", b"a"),
        (b"token&auth&a=token", b"a=token"),
        (b"a=1&&b", b"a=1&&b"),
    ],
)
def test_the_query_loses_its_tokens(query: bytes, left: bytes) -> None:
    """However it is written, a token does not stay in the query that handlers see; the rest does."""
    assert without_credentials(query) == left


@given(st.binary(max_size=60))
def test_no_bytes_break_the_search(value: bytes) -> None:
    """Whatever comes, what is found is bytes, and none of it stays in the query."""
    query = b"token=" + value
    found = credentials_in({b"authorization": b"Basic " + value, b"x-gotify-key": value}, query + b"&auth=" + value)
    assert all(found)
    assert credentials_in({}, without_credentials(query)) == []


def test_a_browser_is_asked_for_a_password() -> None:
    """Who wants a page can enter the token; programs are told of Bearer."""
    assert challenge(b"text/html,application/xhtml+xml").startswith("Basic ")
    assert challenge(b"*/*").startswith("Bearer ")
    assert challenge(None).startswith("Bearer ")
