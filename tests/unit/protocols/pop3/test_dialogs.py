"""Transcripts of POP3 dialogues, each played whole and byte by byte to the machines.

The head names the login (password, token) and the link (`link`: pop3 or pop3s; `peer`: remote, else loopback), and what
to expect: the kind of trouble, or the way of the login and what each question came to.
"""

from pathlib import Path

import pytest

from app.domain.login import Login, SecretKind
from app.protocols.pop3 import commands
from app.protocols.pop3.commands import Command
from app.protocols.pop3.handshake import Handshake, HandshakePhase
from app.protocols.pop3.reader import ReplyReader
from app.protocols.pop3.reply import Pop3Reply
from app.protocols.sasl import secret_forms
from tests.support.transcripts import Transcript

DIALOGS = sorted(Path(__file__).parents[3].joinpath("dialogs", "pop3").glob("*.txt"))
SECRET = "tanstaaftanstaaf"
MAX_BYTES = 100
NAMED = {
    "STAT": commands.STAT,
    "LIST": commands.LIST,
    "UIDL": commands.UIDL,
    "RSET": commands.RSET,
    "NOOP": commands.NOOP,
    "QUIT": commands.QUIT,
}


class Player:
    """The client of a dialogue, without a network: bytes in, bytes out."""

    def __init__(self, head: dict[str, str]) -> None:
        kind = SecretKind.ACCESS_TOKEN if "token" in head else SecretKind.PASSWORD
        login = Login("tim", head.get("token") or head.get("password") or SECRET, kind)
        self.handshake = Handshake(login, encrypted=head.get("link") == "pop3s", loopback=head.get("peer") != "remote")
        self.reader = ReplyReader()
        self.reader.secrets = secret_forms(login)
        self.reader.expect([commands.GREETING])
        self.replies: list[Pop3Reply] = []

    def feed(self, data: bytes) -> bytes:
        """Take what the server said, return what the client says."""
        self.reader.feed(data)
        said = b""
        while (reply := self.reader.next_reply()) is not None:
            if self.handshake.phase is HandshakePhase.READY:
                self.replies.append(reply)
            elif command := self.handshake.receive(reply):
                said += self.say(command)
        return said

    def say(self, command: Command) -> bytes:
        """Return what goes out for a command."""
        self.reader.expect([command])
        return command.line

    def ask(self, question: str) -> bytes:
        """Return what the client says for a question, such as RETR 1."""
        match question.split():
            case ["RETR", number]:
                return self.say(commands.retr(int(number), max_bytes=MAX_BYTES))
            case ["TOP", number]:
                return self.say(commands.top(int(number)))
            case ["DELE", number]:
                return self.say(commands.dele(int(number)))
            case _:
                return self.say(NAMED[question])

    def result(self) -> str:
        """Return what the dialogue came to."""
        if self.handshake.fault is not None:
            assert SECRET not in self.handshake.fault.reason
            return self.handshake.fault.trouble.value
        assert self.handshake.phase is HandshakePhase.READY
        return "; ".join([str(self.handshake.way), *map(_word, self.replies)])


def _word(reply: Pop3Reply) -> str:
    if not reply.is_ok:
        return f"err {reply.code}".rstrip()
    if reply.is_cut:
        return "cut"
    return f"{len(reply.content)} bytes" if reply.content else "ok"


@pytest.mark.parametrize("piece", [None, 1, 7], ids=["whole", "byte-by-byte", "sevens"])
@pytest.mark.parametrize("path", DIALOGS, ids=lambda path: path.stem)
def test_dialog(path: Path, piece: int | None) -> None:
    """The client says what the transcript says, however the server's bytes are cut."""
    transcript = Transcript.read(path)
    player = Player(transcript.head)
    said = b""
    for who, data in transcript.turns:
        if who == "TLS":
            assert player.handshake.phase is HandshakePhase.TLS
            said += player.say(player.handshake.tls_started())
        elif who == "Q":
            said += player.ask(data.decode().strip())
        elif who == "C":
            assert said == data
            said = b""
        else:
            size = piece or len(data)
            said += b"".join(player.feed(data[at : at + size]) for at in range(0, len(data), size))
    assert said == b""
    assert player.result() == transcript.head["expect"]
