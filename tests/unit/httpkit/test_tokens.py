"""Whose token it is."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import new as hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.access import Principal
from app.domain.rate import Rate
from app.httpkit.tokens import Token, TokenTable

AT = datetime(2026, 3, 4, tzinfo=UTC)
BODY = b"{}"
MINUTELY = Rate(5, timedelta(minutes=1))


def principal(name: str) -> Principal:
    """Return the principal whose token is its name."""
    return Principal(name=name, fingerprint=sha256(name.encode()).digest())


def signed_by(secret: bytes) -> dict[bytes, bytes]:
    return {b"sentry-hook-signature": hmac(secret, BODY, "sha256").hexdigest().encode()}


ALICE, BOB, CAROL = principal("alice"), principal("bob"), principal("carol")
TABLE = TokenTable(
    [
        Token(principal=ALICE, hmac_secret=b"s3cret-a"),
        Token(principal=BOB, rate=MINUTELY),
        Token(principal=CAROL, hmac_secret=b"s3cret-c"),
    ]
)


@pytest.mark.parametrize("who", [ALICE, BOB, CAROL], ids=["first", "second", "last"])
def test_a_token_tells_whose_it_is(who: Principal) -> None:
    """Every token of the table is found, wherever it stands."""
    assert TABLE.by_credential(who.name.encode()) is who


@pytest.mark.parametrize(
    "token", [b"", b"alic", b"alice ", b"Alice", ALICE.fingerprint, ALICE.fingerprint.hex().encode()]
)
def test_nothing_else_is_a_token(token: bytes) -> None:
    """No other value opens, however close it is; the digest that stands in the settings is none."""
    assert TABLE.by_credential(token) is None


@given(st.binary(max_size=60))
def test_no_bytes_break_the_search(token: bytes) -> None:
    """Whatever bytes come, they are nobody's."""
    assert TABLE.by_credential(b"x" + token) is None


@pytest.mark.parametrize(("secret", "who"), [(b"s3cret-a", ALICE), (b"s3cret-c", CAROL)], ids=["first", "last"])
def test_a_signature_tells_whose_it_is(secret: bytes, who: Principal) -> None:
    """Each has a secret of its own."""
    assert TABLE.by_signature(signed_by(secret), BODY, AT) is who


@pytest.mark.parametrize("fields", [signed_by(b"another"), signed_by(b""), {}], ids=["another", "empty", "none"])
def test_no_other_signature_is_anybodys(fields: dict[bytes, bytes]) -> None:
    """A secret that nobody has proves nobody, not even the token that has no secret."""
    assert TABLE.by_signature(fields, BODY, AT) is None


def test_the_table_knows_its_rates_and_signers() -> None:
    """Only what is limited has a rate, and without a secret nobody can sign."""
    assert TABLE.rates == {BOB.fingerprint: MINUTELY}
    assert (TABLE.has_signers, TokenTable([Token(principal=BOB)]).has_signers) == (True, False)
    assert (len(TABLE), len(TokenTable([]))) == (3, 0)


def test_no_secret_can_be_seen() -> None:
    """No representation of a token shows what it signs with, nor its digest."""
    shown = repr(Token(principal=ALICE, hmac_secret=b"s3cret-a"))
    assert "s3cret" not in shown
    assert ALICE.fingerprint.hex() not in shown
