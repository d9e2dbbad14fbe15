"""A scripted relay in a thread of its own, for tests that block."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from tests.support.background import BackgroundLoop
from tests.support.scripted_smtp import ScriptedSmtp, StoredMail


@contextmanager
def background_relay(**options: Any) -> Iterator[ScriptedSmtp]:
    """Run a scripted relay until the block ends."""
    relay = ScriptedSmtp(**options)
    with BackgroundLoop() as loop:
        loop.run(relay.start())
        try:
            yield relay
        finally:
            loop.run(relay.stop())


def parsed(mail: StoredMail) -> EmailMessage:
    """Return the mail as the standard library reads it."""
    return message_from_bytes(mail.data, policy=policy.default)
