"""What a reply of a relay means: the retry table as one pure function."""

from enum import Enum

from app.domain.enhanced_codes import meaning
from app.domain.outcome import Deferred, Outcome, Refused, Reply, Scope, Sent


class Stage(Enum):
    """What a reply answers; the value is how a sentence names it."""

    GREETING = "the connection"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "the login"
    MAIL = "the sender address"
    RCPT = "the recipient"
    DATA = "the mail before its content"
    DOT = "the mail"


_SCOPES = {
    Stage.MAIL: Scope.MESSAGE,
    Stage.RCPT: Scope.RECIPIENT,
    Stage.DATA: Scope.MESSAGE,
    Stage.DOT: Scope.MESSAGE,
}

CLOSING = 421  # RFC 5321 section 3.8: may answer any command when the server must shut down
MAILBOX_FULL = "5.2.2"
# RFC 4954 section 6: authentication required, mechanism too weak, credentials invalid, encryption required.
LOGIN_CODES = frozenset({530, 534, 535, 538})
_PASSWORD_TRANSITION = 432  # RFC 4954 section 6: this account must first be moved by its owner
# RFC 3463 sections 3.3 and 3.4: larger than the mailbox takes, larger than the system takes.
_SIZE_CODES = frozenset({"5.2.3", "5.3.4"})
_TOO_LARGE = meaning("5.3.4")
_TOO_MANY_RECIPIENTS = frozenset({"4.5.3", "5.5.3"})  # RFC 3463 section 3.6


def classify(stage: Stage, reply: Reply, *, another_accepted: bool = False) -> Outcome:
    """Return what `reply` to `stage` means for the mail or the recipient.

    Only a 2xx to the final dot is Sent; ask about other positive replies never. `another_accepted` says
    whether a recipient of the same mail was accepted before. What is unknown is temporary.
    """
    if stage is Stage.DOT and 200 <= reply.code <= 299:
        return Sent(reply)
    if reply.code == CLOSING:
        return Deferred(Scope.RELAY, "the relay is closing its connections", reply)
    if _wants_other_settings(stage, reply, another_accepted=another_accepted):
        return Deferred(Scope.CONFIGURATION, _configuration_reason(stage, reply), reply)
    if stage is Stage.RCPT and another_accepted and _is_one_too_many(reply):
        return Deferred(Scope.RECIPIENT, "too many recipients in one mail", reply, too_many_recipients=True)
    scope = _SCOPES.get(stage, Scope.RELAY)
    if scope is not Scope.RELAY and _is_permanent(reply):
        return _refused(stage, scope, reply)
    return Deferred(scope, _reason(stage, reply), reply)


def over_size(size_bytes: int, limit: int) -> Refused:
    """Return what it means that the relay has announced to take no more than `limit` bytes (RFC 1870 section 6.1)."""
    reason = f"{_TOO_LARGE}: {size_bytes} bytes instead of at most {limit}"
    return Refused(Scope.MESSAGE, reason, too_large=True)


def _refused(stage: Stage, scope: Scope, reply: Reply) -> Refused:
    if stage is Stage.RCPT or not _is_about_size(reply):
        return Refused(scope, _reason(stage, reply), reply)
    return Refused(scope, meaning(reply.enhanced) or _TOO_LARGE, reply, too_large=True)


def _is_permanent(reply: Reply) -> bool:
    # RFC 2034 section 4: both codes must agree; where they do not, the reply is unknown, so temporary.
    if not 500 <= reply.code <= 599 or reply.enhanced[:1] not in {"", "5"}:
        return False
    return reply.enhanced != MAILBOX_FULL  # it may be emptied


def _is_one_too_many(reply: Reply) -> bool:
    if reply.enhanced:
        return reply.enhanced in _TOO_MANY_RECIPIENTS and reply.code >= 400
    # RFC 5321 section 4.5.3.1.10: 552 once meant too many recipients, and is to be read as 452.
    return reply.code in {452, 552}


def _is_about_size(reply: Reply) -> bool:
    # RFC 1870 section 6.1: 552 to MAIL; RFC 5321 section 4.2.3: 552 to the content.
    return reply.enhanced in _SIZE_CODES or (reply.code == 552 and not reply.enhanced)


def _wants_other_settings(stage: Stage, reply: Reply, *, another_accepted: bool) -> bool:
    if reply.code == _PASSWORD_TRANSITION and stage is Stage.AUTH:
        return True
    if stage in {Stage.AUTH, Stage.STARTTLS}:
        return 500 <= reply.code <= 599
    if stage is Stage.RCPT and another_accepted:  # then this recipient is the trouble, and not the login
        return False
    # Some servers say 534 5.3.4 for a mail that is too large: only security (x.7.x) is about settings.
    return reply.code in LOGIN_CODES and reply.enhanced[:4] in {"", "5.7."}


def _configuration_reason(stage: Stage, reply: Reply) -> str:
    if stage is Stage.STARTTLS:
        return "the relay announced STARTTLS and refused it; mend its TLS set-up"
    if stage is not Stage.AUTH:
        return "the relay wants a login or encryption first; use smtp+starttls:// with a user and a password"
    if reply.code in {534, _PASSWORD_TRANSITION}:
        return "the relay wants another kind of login; make an app password (authorisation code) for this account"
    return (
        "the relay refused the user name or the password; correct them, "
        "or use an app password (authorisation code) where the provider asks for one"
    )


def _reason(stage: Stage, reply: Reply) -> str:
    words = meaning(reply.enhanced)
    if not words or stage not in _SCOPES:  # before MAIL the codes' words about mail and mailboxes would mislead
        return f"the relay {'refused' if reply.code >= 500 else 'deferred'} {stage.value}"
    if stage is Stage.MAIL and reply.enhanced[1:].startswith(".1."):
        return f"sender address refused: {words}"  # RFC 3463 section 3.2 words these for recipients
    return words
