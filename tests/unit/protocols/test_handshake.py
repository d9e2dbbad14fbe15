"""What the transcripts do not show of the handshake: who may hear a password, and odd servers."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ProtocolError
from app.domain.login import Login, SecretKind
from app.domain.outcome import Scope
from app.domain.relay import Relay, Security
from app.protocols.smtp.handshake import Handshake, HandshakePhase, address_literal
from app.protocols.smtp.reply import ReplyReader, ServerReply

PASSWORD = Login("tim", "tanstaaf")
TOKEN = Login("tim", "ya29.token", SecretKind.ACCESS_TOKEN)


def _handshake(security: Security, *, login: Login | None = None, loopback: bool = False) -> Handshake:
    relay = Relay(name="mx", host="mx", port=25, security=security)
    encrypted = security is Security.IMPLICIT_TLS
    return Handshake(relay, login=login, helo_name="client", encrypted=encrypted, loopback=loopback)


def _greet(handshake: Handshake, *offers: str) -> bytes:
    handshake.receive(ServerReply(220, ("mx",)))
    return handshake.receive(ServerReply(250, ("mx", *offers)))


@pytest.mark.parametrize(
    "offer", [("AUTH PLAIN XOAUTH2",), ("STARTTLS", "AUTH PLAIN XOAUTH2")], ids=["plain", "with-starttls"]
)
@pytest.mark.parametrize("login", [PASSWORD, TOKEN], ids=["password", "token"])
def test_no_secret_in_plaintext(offer: tuple[str, ...], login: Login) -> None:
    """A password or a token never goes over an unencrypted link off loopback, whatever the relay offers."""
    handshake = _handshake(Security.INSECURE, login=login)
    assert _greet(handshake, *offer) == b""
    assert handshake.fault is not None
    assert handshake.fault.scope is Scope.CONFIGURATION


@pytest.mark.parametrize("security", [Security.INSECURE, Security.OPPORTUNISTIC])
def test_password_on_loopback(security: Security) -> None:
    """On this machine itself a login needs no TLS."""
    handshake = _handshake(security, login=PASSWORD, loopback=True)
    assert _greet(handshake, "STARTTLS", "AUTH PLAIN").startswith(b"AUTH PLAIN ")


@pytest.mark.parametrize(
    ("security", "loopback", "said"),
    [
        (Security.OPPORTUNISTIC, False, b"STARTTLS\r\n"),
        (Security.OPPORTUNISTIC, True, b""),
        (Security.STARTTLS, True, b"STARTTLS\r\n"),
        (Security.INSECURE, False, b""),
        (Security.IMPLICIT_TLS, False, b""),
    ],
    ids=["smtp", "smtp-loopback", "starttls-loopback", "insecure", "smtps"],
)
def test_when_tls_begins(security: Security, loopback: bool, said: bytes) -> None:
    """STARTTLS is said where the scheme demands it, and only there."""
    assert _greet(_handshake(security, loopback=loopback), "STARTTLS") == said


def test_capabilities_in_the_clear_are_forgotten() -> None:
    """What was announced before TLS counts for nothing after it (RFC 3207 section 4.2)."""
    handshake = _handshake(Security.STARTTLS)
    _greet(handshake, "STARTTLS", "PIPELINING", "SIZE 10")
    handshake.receive(ServerReply(220, ("go",)))
    assert handshake.tls_started() == b"EHLO client\r\n"
    handshake.receive(ServerReply(500, ("no",)))
    handshake.receive(ServerReply(250, ("mx",)))
    assert handshake.phase is HandshakePhase.READY
    assert not handshake.capabilities.pipelining


@pytest.mark.parametrize(
    ("code", "scope"),
    [(535, Scope.CONFIGURATION), (534, Scope.CONFIGURATION), (530, Scope.CONFIGURATION), (454, Scope.RELAY)],
)
def test_refused_login(code: int, scope: Scope) -> None:
    """A wrong password is ours to mend, a login that cannot be checked just now is not."""
    handshake = _handshake(Security.IMPLICIT_TLS, login=PASSWORD)
    _greet(handshake, "AUTH LOGIN PLAIN")
    assert handshake.receive(ServerReply(code, ("no",))) == b""
    assert handshake.fault is not None
    assert handshake.fault.scope is scope


@pytest.mark.parametrize(("code", "refused"), [(535, True), (534, True), (235, False), (454, False), (421, False)])
def test_who_gave_the_login_hears_of_its_refusal(code: int, refused: bool) -> None:
    """A login that was refused for good is told from one that could not be checked just now."""
    handshake = _handshake(Security.IMPLICIT_TLS, login=PASSWORD)
    _greet(handshake, "AUTH PLAIN")
    handshake.receive(ServerReply(code, ("so",)))
    assert handshake.login_refused is refused


def test_a_refused_token_in_words() -> None:
    """The reason speaks of a token, with the status that the relay gave before it refused it (RFC 7628)."""
    handshake = _handshake(Security.IMPLICIT_TLS, login=TOKEN)
    _greet(handshake, "AUTH OAUTHBEARER")
    complaint = b64encode(b'{"status":"invalid_token"}').decode()
    assert handshake.receive(ServerReply(334, (complaint,))) == b"AQ==\r\n"
    handshake.receive(ServerReply(535, ("no",)))
    assert handshake.fault is not None
    assert 'refused the access token and says "invalid_token"' in handshake.fault.reason


def test_only_one_mechanism_is_tried() -> None:
    """A refused login is not tried by another mechanism: each would count, and an account gets locked."""
    handshake = _handshake(Security.IMPLICIT_TLS, login=PASSWORD)
    _greet(handshake, "AUTH PLAIN LOGIN CRAM-MD5")
    assert handshake.receive(ServerReply(535, ("no",))) == b""
    assert (handshake.phase, handshake.mechanism) == (HandshakePhase.FAILED, "PLAIN")


def test_without_a_login_none_is_tried() -> None:
    """Mail goes without a login where none is given, whatever the relay offers."""
    handshake = _handshake(Security.IMPLICIT_TLS)
    assert _greet(handshake, "AUTH PLAIN") == b""
    assert (handshake.phase, handshake.mechanism) == (HandshakePhase.READY, None)


@pytest.mark.parametrize("login", [PASSWORD, TOKEN], ids=["password", "token"])
@pytest.mark.parametrize("offers", [(), ("AUTH GSSAPI",)], ids=["none", "unknown"])
def test_login_not_offered(offers: tuple[str, ...], login: Login) -> None:
    """A relay that offers no login we speak is a configuration fault; no mail goes without one."""
    handshake = _handshake(Security.IMPLICIT_TLS, login=login)
    assert _greet(handshake, *offers) == b""
    assert handshake.fault is not None
    assert handshake.fault.scope is Scope.CONFIGURATION


def test_endless_login_is_an_error() -> None:
    """A relay that asks for more than the mechanism has is not answered for ever."""
    handshake = _handshake(Security.IMPLICIT_TLS, login=PASSWORD)
    _greet(handshake, "AUTH PLAIN")
    with pytest.raises(ProtocolError):
        handshake.receive(ServerReply(334, ("more",)))


@pytest.mark.parametrize(
    ("address", "literal"),
    [("127.0.0.1", "[127.0.0.1]"), ("::1", "[IPv6:::1]"), ("fe80::1%eth0", "[IPv6:fe80::1]")],
)
def test_address_literal(address: str, literal: str) -> None:
    """A client without a name gives its address as RFC 5321 section 4.1.3 writes it."""
    assert address_literal(address) == literal


@given(
    st.sampled_from(Security),
    st.sampled_from([None, PASSWORD, TOKEN]),
    st.booleans(),
    st.lists(
        st.sampled_from([b"220 mx\r\n", b"250-mx\r\n", b"250 AUTH PLAIN XOAUTH2\r\n", b"250 STARTTLS\r\n", b"334 \r\n",
                         b"235 ok\r\n", b"421 bye\r\n", b"454 no\r\n", b"535 no\r\n", b"502 no\r\n"])
        | st.binary(max_size=30),
        max_size=20,
    ),
)  # fmt: skip
def test_no_server_breaks_the_handshake(
    security: Security, login: Login | None, loopback: bool, pieces: list[bytes]
) -> None:
    """Whatever a server says, the handshake goes on, ends, or raises ProtocolError."""
    handshake = _handshake(security, login=login, loopback=loopback)
    replies = ReplyReader()
    try:
        for piece in pieces:
            replies.feed(piece)
            while not handshake.finished and (reply := replies.next_reply()) is not None:
                handshake.receive(reply)
                if handshake.phase is HandshakePhase.TLS:
                    handshake.tls_started()
    except ProtocolError:
        return
    assert (handshake.phase is HandshakePhase.FAILED) == (handshake.fault is not None)
