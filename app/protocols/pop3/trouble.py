"""What a -ERR means: later, or that somebody has to change something."""

import re

from app.domain.mailbox_session import Trouble
from app.protocols.pop3.reply import Pop3Reply

LOGIN_DELAY = "LOGIN-DELAY"
_TROUBLES = {
    "IN-USE": Trouble.IN_USE,  # RFC 2449 section 8.1.2
    LOGIN_DELAY: Trouble.BUSY,  # RFC 2449 section 8.1.1
    "SYS/TEMP": Trouble.BUSY,  # RFC 3206 section 4
    "SYS/PERM": Trouble.CONFIGURATION,  # the same: somebody has to act
    "AUTH": Trouble.LOGIN,  # RFC 3206 section 5
}
# RFC 1939 section 7 has "maildrop already locked" and "unable to lock maildrop" as answers to PASS; servers without
# response codes say so still. A locked account is none of these.
_LOCKED = re.compile(r"(?:maildrop|mailbox|mail drop|mail box)\b.*\b(?:lock|in use)|\block\b.*\bmail", re.IGNORECASE)


def trouble_of(reply: Pop3Reply, *, otherwise: Trouble) -> Trouble:
    """Return what kind of fault a -ERR is; `otherwise` where the server does not tell by a code."""
    trouble = _TROUBLES.get(reply.code)
    if trouble is not None:
        return trouble
    return Trouble.IN_USE if _LOCKED.search(reply.text) else otherwise


def is_for_now(reply: Pop3Reply) -> bool:
    """Return whether the server says by a code that whatever it refuses will be had later."""
    return _TROUBLES.get(reply.code) in {Trouble.BUSY, Trouble.IN_USE}


def wants_pause(reply: Pop3Reply) -> bool:
    """Return whether the server says that the last login was too short a time ago."""
    return reply.code == LOGIN_DELAY
