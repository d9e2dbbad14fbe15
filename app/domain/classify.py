"""What a reply of a relay means: the retry table as one pure function."""

from enum import Enum

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
_LOGIN_CODES = frozenset({530, 534, 535, 538})
_PASSWORD_TRANSITION = 432  # RFC 4954 section 6: this account must first be moved by its owner

# RFC 3463 section 3, by subject and detail: what a person can act on.
_MEANINGS = {
    "1.1": "there is no such mailbox",
    "1.2": "the recipient's domain does not exist",
    "1.6": "the mailbox has moved and left no new address",
    "1.8": "the domain of the sender address does not exist",
    "1.10": "the recipient's domain takes no mail",
    "2.1": "the mailbox is disabled",
    "2.2": "the mailbox is full",
    "2.3": "the mail is larger than this mailbox takes",
    "3.1": "the relay has no room for mail",
    "3.4": "the mail is larger than the relay takes",
    "5.3": "too many recipients in one mail",
    "7.0": "the relay's policy is against it",
    "7.1": "the relay does not permit this sender or recipient",
    "7.26": "the mail failed SPF and DKIM; publish them for the sender's domain",
    "7.60": "this account may not send as this sender address",
}


def classify(stage: Stage, reply: Reply, *, another_accepted: bool = False) -> Outcome:
    """Return what `reply` to `stage` means for the mail or the recipient.

    Only a 2xx to the final dot is Sent; ask about other positive replies never. `another_accepted` says
    whether a recipient of the same mail was accepted before. What is unknown is temporary.
    """
    if stage is Stage.DOT and 200 <= reply.code <= 299:
        return Sent(reply)
    if reply.code == CLOSING:
        return Deferred(Scope.RELAY, "the relay is closing its connections", reply)
    if _wants_other_settings(stage, reply):
        return Deferred(Scope.CONFIGURATION, _configuration_reason(stage, reply), reply)
    scope = _SCOPES.get(stage, Scope.RELAY)
    permanent = scope is not Scope.RELAY and _is_permanent(stage, reply, another_accepted=another_accepted)
    reason = _reason(stage, reply, permanent=permanent)
    return Refused(scope, reason, reply) if permanent else Deferred(scope, reason, reply)


def _is_permanent(stage: Stage, reply: Reply, *, another_accepted: bool) -> bool:
    # RFC 2034 section 4: both codes must agree; where they do not, the reply is unknown, so temporary.
    if not 500 <= reply.code <= 599 or reply.enhanced[:1] not in {"", "5"}:
        return False
    if reply.enhanced == MAILBOX_FULL:
        return False
    # RFC 5321 section 4.5.3.1.10: 552 once meant too many recipients, and is to be read as 452.
    return not (stage is Stage.RCPT and reply.code == 552 and not reply.enhanced and another_accepted)


def _wants_other_settings(stage: Stage, reply: Reply) -> bool:
    if reply.code == _PASSWORD_TRANSITION and stage is Stage.AUTH:
        return True
    if stage in {Stage.AUTH, Stage.STARTTLS}:
        return 500 <= reply.code <= 599
    # Some servers say 534 5.3.4 for a mail that is too large: only security (x.7.x) is about settings.
    return reply.code in _LOGIN_CODES and reply.enhanced[:4] in {"", "5.7."}


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


def _reason(stage: Stage, reply: Reply, *, permanent: bool) -> str:
    verb = "refused" if permanent else "deferred"
    meaning = _MEANINGS.get(reply.enhanced[2:]) if reply.enhanced else None
    if meaning is None:
        return f"the relay {verb} {stage.value}"
    return f"the relay {verb} {stage.value}: {meaning}"
