"""Logins say what the mechanism asks, and never show a secret."""

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ProtocolError
from app.domain.login import Login, SecretKind
from app.protocols.sasl import LoginExchange, choose_mechanism, masked, secret_forms, without_secrets

PASSWORD = Login("tim", "tanstaaftanstaaf")
TOKEN = Login("ops@example.org", "ya29.token", SecretKind.ACCESS_TOKEN)
EVERYTHING = ("LOGIN", "CRAM-MD5", "XOAUTH2", "PLAIN", "OAUTHBEARER", "GSSAPI")


def _exchange(login: Login, mechanism: str) -> LoginExchange:
    chosen = choose_mechanism(login, [mechanism], encrypted=True)
    assert chosen is not None
    return LoginExchange(chosen, login, max_command=512)


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


CHOICES = {
    "password": (PASSWORD, EVERYTHING, True, "PLAIN"),
    "password without PLAIN": (PASSWORD, ("CRAM-MD5", "LOGIN"), True, "LOGIN"),
    "password by digest alone": (PASSWORD, ("CRAM-MD5", "XOAUTH2"), True, "CRAM-MD5"),
    "password in plaintext": (PASSWORD, EVERYTHING, False, "CRAM-MD5"),
    "password in plaintext without a digest": (PASSWORD, ("LOGIN", "PLAIN"), False, "PLAIN"),
    "password where tokens are wanted": (PASSWORD, ("XOAUTH2", "OAUTHBEARER"), True, None),
    "token": (TOKEN, EVERYTHING, True, "OAUTHBEARER"),
    "token at Microsoft": (TOKEN, ("LOGIN", "XOAUTH2"), True, "XOAUTH2"),
    "token where passwords are wanted": (TOKEN, ("LOGIN", "PLAIN"), True, None),
    "nothing offered": (PASSWORD, (), True, None),
}


@pytest.mark.parametrize(("login", "offered", "encrypted", "chosen"), CHOICES.values(), ids=CHOICES.keys())
def test_choice(login: Login, offered: tuple[str, ...], encrypted: bool, chosen: str | None) -> None:
    """One mechanism is chosen that fits the login and the link, or none."""
    mechanism = choose_mechanism(login, offered, encrypted=encrypted)
    assert (mechanism and mechanism.name) == chosen


@pytest.mark.parametrize(
    ("login", "mechanism", "said"),
    [
        (PASSWORD, "PLAIN", "\0tim\0tanstaaftanstaaf"),
        (TOKEN, "XOAUTH2", "user=ops@example.org\x01auth=Bearer ya29.token\x01\x01"),
        (TOKEN, "OAUTHBEARER", "n,a=ops@example.org,\x01auth=Bearer ya29.token\x01\x01"),
        (Login("a=b,c", "t", SecretKind.ACCESS_TOKEN), "OAUTHBEARER", "n,a=a=3Db=2Cc,\x01auth=Bearer t\x01\x01"),
    ],
    ids=["PLAIN", "XOAUTH2", "OAUTHBEARER", "OAUTHBEARER-escaped"],
)
def test_a_login_in_one_line(login: Login, mechanism: str, said: str) -> None:
    """User and secret go with the command."""
    assert _exchange(login, mechanism).first() == f"AUTH {mechanism} {_encoded(said)}"


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_long_login_in_two_lines(mechanism: str) -> None:
    """A response that makes the command too long waits for its 334 (RFC 4954 section 4): Microsoft's tokens do."""
    exchange = _exchange(Login("tim", "x" * 2000, SecretKind.ACCESS_TOKEN), mechanism)
    assert exchange.first() == f"AUTH {mechanism}"
    assert b"auth=Bearer " + b"x" * 2000 in b64decode(exchange.answer(""))


def test_login_in_three_lines() -> None:
    """LOGIN sends user and password each after a prompt, whatever the prompt says."""
    exchange = _exchange(Login("tim", "pass"), "LOGIN")
    said = (exchange.first(), exchange.answer("VXNlcm5hbWU6"), exchange.answer("Password:"))
    assert said == ("AUTH LOGIN", "dGlt", "cGFzcw==")


def test_cram_md5() -> None:
    """The example of RFC 2195 section 2 comes out as it stands there; the password does not leave."""
    exchange = _exchange(PASSWORD, "CRAM-MD5")
    assert exchange.first() == "AUTH CRAM-MD5"
    answer = exchange.answer(_encoded("<1896.697170952@postoffice.reston.mci.net>"))
    assert answer == "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"


@pytest.mark.parametrize(("mechanism", "dummy"), [("XOAUTH2", ""), ("OAUTHBEARER", "AQ==")])
def test_a_refused_token_is_explained(mechanism: str, dummy: str) -> None:
    """The JSON in a 334 is answered as the mechanism has it, so that the refusal follows, and its status is kept."""
    exchange = _exchange(TOKEN, mechanism)
    exchange.first()
    assert exchange.answer(_encoded('{"status":"invalid_token","schemes":"bearer"}')) == dummy
    assert exchange.complaint == "invalid_token"


def test_the_explanation_shows_no_token() -> None:
    """A server that repeats the token in its explanation does not bring it into a log, not even in part."""
    exchange = _exchange(TOKEN, "XOAUTH2")
    exchange.first()
    exchange.answer(_encoded('{"status":"' + "x" * 95 + 'ya29.token is bad"}'))
    assert "ya2" not in exchange.complaint


@given(st.text())
def test_no_challenge_does_harm(challenge: str) -> None:
    """Whatever a 334 says, the answer is a line and the explanation one line."""
    for login, mechanism in ((TOKEN, "XOAUTH2"), (PASSWORD, "CRAM-MD5"), (PASSWORD, "LOGIN")):
        exchange = _exchange(login, mechanism)
        exchange.first()
        answer = exchange.answer(challenge)
        assert answer.isascii()
        assert "\n" not in answer + exchange.complaint


@pytest.mark.parametrize("complaint", ["[" * 10_000, "1", '"x"', '{"status":7}', "{", ""])
def test_an_explanation_that_is_none(complaint: str) -> None:
    """What is no explanation is passed over."""
    exchange = _exchange(TOKEN, "XOAUTH2")
    exchange.first()
    exchange.answer(_encoded(complaint))
    assert exchange.complaint == ""


def test_a_mechanism_has_an_end() -> None:
    """A relay that asks for more than the mechanism has is not answered for ever."""
    exchange = _exchange(PASSWORD, "PLAIN")
    exchange.first()
    with pytest.raises(ProtocolError, match="PLAIN"):
        exchange.answer("")


@pytest.mark.parametrize(
    ("line", "shown"),
    [("AUTH PLAIN c2VjcmV0", "AUTH PLAIN ***"), ("AUTH LOGIN", "AUTH LOGIN"), ("c2VjcmV0", "***"), ("", "***")],
    ids=["plain", "login", "response", "empty response"],
)
def test_masked(line: str, shown: str) -> None:
    """What a person sees of a login has no secret in it."""
    assert masked(line) == shown


SAID = {
    "clear": "canary",
    "alone": _encoded("canary"),
    "PLAIN": _encoded("\0tim\0canary"),
    "XOAUTH2": _encoded("user=tim\x01auth=Bearer canary\x01\x01"),
    "OAUTHBEARER": _encoded("n,a=tim,\x01auth=Bearer canary\x01\x01"),
}


@pytest.mark.parametrize("kind", SecretKind)
@pytest.mark.parametrize("echo", SAID.values(), ids=SAID.keys())
def test_an_echoed_secret_is_hidden(echo: str, kind: SecretKind) -> None:
    """A server that repeats a password or a token, in any form that it was said in, brings it into no log."""
    forms = secret_forms(Login("tim", "canary", kind))
    assert without_secrets(f"535 {echo} is wrong", forms) == "535 *** is wrong"


def test_a_secret_within_its_own_encoding() -> None:
    """A password that stands in the base64 of the login by chance does not leave the rest of it to be read."""
    assert without_secrets(_encoded("\0tim\0A"), secret_forms(Login("tim", "A"))) == "***"


def test_no_login_hides_nothing() -> None:
    """Without a login the text of a server stays as it is."""
    assert without_secrets("535 no", secret_forms(None)) == "535 no"
