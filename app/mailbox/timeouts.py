"""How long a session with a mailbox may wait, whatever its protocol."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailboxTimeouts:
    """How long each stage may take, in seconds."""

    connect_s: float = 10
    command_s: float = 60
    piece_s: float = 60  # for the next piece of a mail or a listing
    mail_s: float = 900  # a mail or a listing in all, so that a server that trickles cannot hold one for ever
    quit_s: float = 60  # RFC 1939 section 6: a POP3 server deletes before it answers
    goodbye_s: float = 3  # the last words where nothing depends on them


DEFAULT_TIMEOUTS = MailboxTimeouts()
