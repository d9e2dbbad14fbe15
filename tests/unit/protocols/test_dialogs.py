"""Transcripts of SMTP dialogues, each played whole and byte by byte to the machines.

A transcript names the relay URL scheme (and login), the mail, and the outcomes to expect or the scope of
the fault; `S:` is what the server says, `C:` what the client must say, `TLS` that the link is encrypted now.
"""

from pathlib import Path

import pytest

from app.domain.login import Login
from app.domain.outcome import Deferred, Outcome, Refused
from app.domain.relay import Relay, Security
from app.protocols.sasl import secret_forms
from app.protocols.smtp.dotstuff import encode_content
from app.protocols.smtp.handshake import Handshake, HandshakePhase
from app.protocols.smtp.reply import ReplyReader, ServerReply
from app.protocols.smtp.transaction import OutgoingMail, Step, Transaction
from tests.support.transcripts import Transcript

DIALOGS = sorted(Path(__file__).parents[2].joinpath("dialogs").glob("*.txt"))
CONTENT = b"Subject: x\r\n\r\nhi\r\n"


class Dialog(Transcript):
    """One transcript, and what its head describes."""

    @property
    def relay(self) -> Relay:
        """The relay that the head describes."""
        return Relay(name="mx", host="mx", port=25, security=Security(self.head["session"].split()[0]))

    @property
    def login(self) -> Login | None:
        """The login that the head describes."""
        _, *user_and_secret = self.head["session"].split()
        return Login(*user_and_secret[1:]) if user_and_secret else None

    @property
    def mail(self) -> OutgoingMail:
        """The mail that the head describes."""
        sender, _, recipients = self.head["mail"].partition(" -> ")
        return OutgoingMail(sender, tuple(recipients.split()), CONTENT, self.head.get("envid", ""))


class Player:
    """The client of a dialogue, without a network: bytes in, bytes out."""

    def __init__(self, dialog: Dialog) -> None:
        self.dialog = dialog
        self.handshake = Handshake(
            dialog.relay,
            login=dialog.login,
            helo_name="client.example.org",
            encrypted=dialog.relay.security is Security.IMPLICIT_TLS,
            loopback=dialog.head.get("peer") != "remote",
        )
        self.transaction: Transaction | None = None
        self.replies = ReplyReader()
        self.replies.secrets = secret_forms(dialog.login)

    def feed(self, data: bytes) -> bytes:
        """Take what the server said, return what the client says."""
        self.replies.feed(data)
        said = b""
        while (reply := self.replies.next_reply()) is not None:
            said += self._receive(reply)
        return said

    def _receive(self, reply: ServerReply) -> bytes:
        if self.transaction is not None:
            said = self.transaction.receive(reply)
            if self.transaction.step is Step.CONTENT and not self.transaction.finished:
                self.transaction.final_dot_sent()
                return said + encode_content(self.dialog.mail.data)
            return said
        said = self.handshake.receive(reply)
        if self.handshake.phase is not HandshakePhase.READY:
            return said
        self.transaction = Transaction(self.dialog.mail, self.handshake.capabilities)
        return said + self.transaction.start()


@pytest.mark.parametrize("piece", [None, 1, 7], ids=["whole", "byte-by-byte", "sevens"])
@pytest.mark.parametrize("path", DIALOGS, ids=lambda path: path.stem)
def test_dialog(path: Path, piece: int | None) -> None:
    """The client says what the transcript says, however the server's bytes are cut."""
    dialog = Dialog.read(path)
    player = Player(dialog)
    said = b""
    for who, data in dialog.turns:
        if who == "TLS":
            assert player.handshake.phase is HandshakePhase.TLS
            said += player.handshake.tls_started()
        elif who == "C":
            assert said == data
            said = b""
        else:
            size = piece or len(data)
            said += b"".join(player.feed(data[at : at + size]) for at in range(0, len(data), size))
    assert said == b""
    assert _result(player) == (dialog.head.get("expect") or dialog.head["fault"])


def _result(player: Player) -> str:
    if player.handshake.fault is not None:
        assert "secret" not in repr(player.handshake.fault)
        return player.handshake.fault.scope.value
    assert player.transaction is not None
    assert player.transaction.finished
    return "; ".join(_word(outcome) for outcome in player.transaction.outcomes())


def _word(outcome: Outcome) -> str:
    match outcome:
        case Deferred(too_many_recipients=True):
            return "one too many"
        case Deferred(scope=scope):
            return f"deferred {scope}"
        case Refused(too_large=True):
            return "too large"
        case Refused(scope=scope):
            return f"refused {scope}"
        case _:
            return "sent"
