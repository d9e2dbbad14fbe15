"""What to do about known troubles with relays. Pure: a fault in, sentences out."""

from collections.abc import Iterator, Sequence

from app.cli.providers import for_password
from app.delivery.opening import RelayFault
from app.domain.classify import LOGIN_CODES
from app.domain.errors import LoginUnavailable
from app.domain.outcome import Outcome, Sent
from app.domain.relay import Relay, Security
from app.net.errors import ConnectFailed, StreamTimeout

# What relays answer when the sender is not the account: RFC 5321 section 4.2.3, and 501 at QQ and 163.
SENDER_REFUSED = frozenset({501, 550, 553, 554})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LOGIN_SETTINGS = (
    "put user@ into the relay's URL, and the password into relay_password_file (password_file in [[relays]])"
)
SENDING_RIGHTS = (
    "the token must be for this very account and allow it to send by SMTP: check user, scope and consent "
    "(Microsoft: SMTP.Send or SMTP.SendAsApp; Google: https://mail.google.com/)"
)


def for_settings(relay: Relay, helo_name: str | None, sender: str) -> Iterator[str]:
    """Yield what looks wrong before anything was sent."""
    if helo_name and "." not in helo_name and not helo_name.startswith("["):
        yield (
            f"helo_name is {helo_name}, without a dot: many relays refuse a bare host name; write the full one, "
            "or unset it"
        )
    if _is_other_account(relay, sender):
        yield f"mail_from is {sender} and the account is {relay.username}: many providers want them to be the same"


def for_fault(relay: Relay, fault: RelayFault) -> Iterator[str]:
    """Yield what may mend a session that could not be made ready."""
    cause, reply = fault.__cause__, fault.outcome.reply
    if isinstance(cause, LoginUnavailable):
        yield from _for_no_login(cause)
    elif isinstance(cause, ConnectFailed):
        yield from _for_connect(relay, fault.outcome.reason)
    elif isinstance(cause, StreamTimeout) and relay.port == 465 and relay.security is not Security.IMPLICIT_TLS:
        yield f"port 465 begins with TLS: write smtps://{relay.host}:465"  # RFC 8314 section 3
    elif reply is not None and reply.code in LOGIN_CODES:
        yield from _for_login(relay)
    elif reply is not None and reply.code >= 500:
        yield "ask the relay's administrator whether this machine may send; the reply above is the relay's own"
    elif relay.security is Security.IMPLICIT_TLS and relay.port in {25, 587}:
        yield f"port {relay.port} begins in plaintext: write smtp+starttls://{relay.host}:{relay.port}"


def for_sender(relay: Relay, sender: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield what may mend a test mail that was not taken."""
    codes = {outcome.reply.code for outcome in outcomes if outcome.reply and not isinstance(outcome, Sent)}
    if codes & SENDER_REFUSED and _is_other_account(relay, sender):
        yield f"the sender must equal the account: set mail_from to {relay.username}"
    elif codes & SENDER_REFUSED and not relay.username:
        yield f"the relay may want a login before it passes mail on: {LOGIN_SETTINGS}"
    elif codes & LOGIN_CODES:
        yield from _for_login(relay)


def _for_connect(relay: Relay, reason: str) -> Iterator[str]:
    if "resolve" in reason:
        yield f"check the host name {relay.host} in the relay's URL, and the DNS of this machine"
    elif relay.host in LOOPBACK:
        yield f"nothing listens on port {relay.port} of this machine: start a mail server, or name another host"
    elif relay.port == 25:
        yield (
            "clouds and many networks block port 25 to the outside: try port 465 or 587 with a login, as "
            f"smtps://user@{relay.host}:465 or smtp+starttls://user@{relay.host}:587"
        )
    else:
        yield f"check host and port in its URL, and whether a firewall lets this machine reach port {relay.port}"


def _for_no_login(cause: LoginUnavailable) -> Iterator[str]:
    if cause.is_configuration:
        yield "nothing was said to the relay; mend the file or the token server's settings that the line above names"
    else:
        yield "the token server is the trouble, not the relay; see whether this machine can reach it"


def _for_login(relay: Relay) -> Iterator[str]:
    if not relay.username:
        yield LOGIN_SETTINGS
        return
    if not relay.password:
        yield SENDING_RIGHTS
        return
    yield from for_password(relay.host, relay.username, service="SMTP", oauth_section="[relays.oauth]")


def _is_other_account(relay: Relay, sender: str) -> bool:
    return "@" in relay.username and relay.username.lower() != sender.lower()
