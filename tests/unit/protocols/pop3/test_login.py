"""The one way to log in is chosen by the link and by what the server offers."""

import pytest

from app.domain.errors import ProtocolError
from app.domain.login import Login, SecretKind
from app.protocols.pop3.login import choose_attempt, find_timestamp
from app.protocols.pop3.reply import Pop3Reply, Status

PASSWORD = Login("mrose", "tanstaaf")
TOKEN = Login("mrose", "ya29", SecretKind.ACCESS_TOKEN)
TIMESTAMP = "<1896.697170952@dbc.mtview.ca.us>"
EVERYTHING = ("LOGIN", "PLAIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "GSSAPI")
DIGEST = ("CRAM-MD5", "GSSAPI")

CHOICES = {
    "under TLS": (PASSWORD, EVERYTHING, True, TIMESTAMP, True, "PLAIN"),
    "under TLS, LOGIN": (PASSWORD, ("LOGIN",), True, TIMESTAMP, True, "LOGIN"),
    "under TLS, no mechanism": (PASSWORD, DIGEST, True, TIMESTAMP, True, "USER"),
    "under TLS, a digest alone": (PASSWORD, DIGEST, False, TIMESTAMP, True, "CRAM-MD5"),
    "under TLS, APOP alone": (PASSWORD, (), False, TIMESTAMP, True, "APOP"),
    "in plaintext": (PASSWORD, EVERYTHING, True, TIMESTAMP, False, "CRAM-MD5"),
    "in plaintext, APOP": (PASSWORD, ("PLAIN",), True, TIMESTAMP, False, "APOP"),
    "in plaintext, no digest": (PASSWORD, ("LOGIN", "PLAIN"), True, "", False, "PLAIN"),
    "in plaintext, USER": (PASSWORD, (), True, "", False, "USER"),
    "nothing": (PASSWORD, ("GSSAPI",), False, "", True, None),
    "token": (TOKEN, EVERYTHING, True, TIMESTAMP, True, "OAUTHBEARER"),
    "token, the older way": (TOKEN, ("PLAIN", "XOAUTH2"), True, "", True, "XOAUTH2"),
    "token where passwords are wanted": (TOKEN, ("PLAIN",), True, TIMESTAMP, True, None),
}


@pytest.mark.parametrize(("login", "sasl", "user", "timestamp", "encrypted", "way"), CHOICES.values(), ids=CHOICES)
def test_choice(
    login: Login, sasl: tuple[str, ...], user: bool, timestamp: str, encrypted: bool, way: str | None
) -> None:
    """One way is chosen that fits login and link, or none."""
    attempt = choose_attempt(login, sasl=sasl, user=user, timestamp=timestamp, encrypted=encrypted)
    assert (attempt and attempt.name) == way


def test_apop() -> None:
    """The example of RFC 1939 section 7 comes out as it stands there."""
    attempt = choose_attempt(PASSWORD, sasl=(), user=True, timestamp=TIMESTAMP, encrypted=False)
    assert attempt is not None
    assert attempt.first().line == b"APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n"
    assert attempt.next(Pop3Reply(Status.OK)) is None


@pytest.mark.parametrize(
    ("greeting", "timestamp"),
    [
        (f"POP3 server ready {TIMESTAMP}", TIMESTAMP),
        (f"{TIMESTAMP} ready", TIMESTAMP),
        ("ready", ""),
        ("ready <nothing>", ""),
        ("ready <a@b@c>", "<a@b@c>"),
        ("ready <a b@c>", ""),
        ("ready <a@\u00e9>", ""),
        ("ready <<a@b>", "<a@b>"),
    ],
)
def test_the_time_stamp_of_a_greeting(greeting: str, timestamp: str) -> None:
    """Only visible ASCII in the shape of a msg-id is one: anything else may be made to find out the password."""
    assert find_timestamp(greeting) == timestamp


@pytest.mark.parametrize("sasl", [(), ("PLAIN",)], ids=["USER", "PLAIN"])
def test_a_server_that_asks_for_more(sasl: tuple[str, ...]) -> None:
    """A challenge that has no place in the login is a ProtocolError."""
    attempt = choose_attempt(PASSWORD, sasl=sasl, user=True, timestamp="", encrypted=True)
    assert attempt is not None
    attempt.first()
    with pytest.raises(ProtocolError):
        attempt.next(Pop3Reply(Status.MORE))
