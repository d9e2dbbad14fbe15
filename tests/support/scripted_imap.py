"""A fake IMAP server on loopback with a folder of mails, which misbehaves at any step as a script says.

    async with ScriptedImap([b"Subject: x\r\n\r\nhi\r\n"], SELECT="NO [INUSE] later") as server:
        ... connect to 127.0.0.1, server.port ...
    server.commands

A step is GREETING or the verb of a command, of which UID is no part; scripted_server tells what a script may say. An
answer has no tag, and in raw bytes TAG stands for it. `commands` are without their tags, and what answers a challenge
is decoded.
"""

import re
import ssl
from base64 import b64decode
from collections.abc import Iterable, Sequence

from tests.support.scripted_server import Link, ScriptedServer
from tests.support.smtp_actions import Script

CAPABILITIES = ("IMAP4rev1", "AUTH=PLAIN", "AUTH=OAUTHBEARER", "AUTH=XOAUTH2", "ID", "IDLE", "UIDPLUS", "MOVE")
UIDVALIDITY = 7


class ScriptedImap(ScriptedServer):
    """See the head of this module. The uids of the mails begin with 1. `host` is the address that it listens on."""

    def __init__(
        self,
        mails: Iterable[bytes] = (),
        *,
        capabilities: Sequence[str] = CAPABILITIES,
        greeting: str = "OK scripted.test",
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        secret: str = "tanstaaf",
        **script: Script,
    ) -> None:
        super().__init__(script=script, tls=tls, host=host)
        self.mails = dict(enumerate(mails, start=1))
        self.capabilities = capabilities
        self.greeting = greeting
        self.secret = secret

    def verb(self, command: str) -> str:
        """Return the verb of a command, of which UID is no part."""
        return command.removeprefix("UID ").partition(" ")[0]

    async def serve(self, link: Link) -> None:
        """Speak with a client until it hangs up."""
        await _Session(self, link).serve()


class _Session:
    """One connection."""

    def __init__(self, server: ScriptedImap, link: Link) -> None:
        self._server = server
        self._link = link

    async def serve(self) -> None:
        greeting = f"* {self._server.greeting}\r\n".encode()
        await self._link.perform(self._server.scripted("GREETING", "") or greeting, tag="*")
        while line := await self._link.line():
            if line == "DONE":  # of an IDLE that the script has answered already
                continue
            tag, _, command = line.partition(" ")
            self._server.commands.append(command)
            verb = self._server.verb(command)
            is_scripted = self._server.has_script(verb)
            is_login = verb in {"AUTHENTICATE", "LOGIN"}
            sound = await self._log_in(command) if is_login and not is_scripted else self._answer(command)
            await self._link.perform(self._server.scripted(verb, command) or sound, tag=tag)
            if verb == "STARTTLS" and self._server.tls and not is_scripted:
                await self._link.start_tls(self._server.tls)
            if verb == "IDLE" and not is_scripted:
                self._server.commands.append(await self._link.answer())
                await self._link.perform("OK done", tag=tag)

    def _answer(self, command: str) -> bytes:
        """Return what a sound server says to a command."""
        count = len(self._server.mails)
        known = {
            "CAPABILITY": f"* CAPABILITY {' '.join(self._server.capabilities)}\r\n",
            "ID": '* ID ("name" "scripted")\r\n',
            "SELECT": f"* {count} EXISTS\r\n* OK [UIDVALIDITY {UIDVALIDITY}]\r\n",
            "SEARCH": "* SEARCH\r\n",
            "LOGOUT": "* BYE see you\r\n",
        }
        match self._server.verb(command):
            case "FETCH":
                return b"".join(self._fetched(command)) + b"TAG OK done\r\n"
            case "IDLE":
                return b"+ idling\r\n"
            case verb:
                return known.get(verb, "").encode() + b"TAG OK done\r\n"

    def _fetched(self, command: str) -> Iterable[bytes]:
        numbers = command.removeprefix("UID ").split(" ")[1]
        for uid in _named(numbers):
            mail = self._server.mails.get(uid)
            if mail is None:
                continue
            if section := re.search(r"BODY\.PEEK\[(.*?)\]<(\d+)\.(\d+)>", command):
                part = mail.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if section[1] else mail
                piece = part[int(section[2]) :][: int(section[3])]
                head = f"* {uid} FETCH (UID {uid} BODY[{section[1]}]<{section[2]}> {{{len(piece)}}}\r\n".encode()
                yield head + piece + b")\r\n"
            else:
                yield f"* {uid} FETCH (UID {uid} RFC822.SIZE {len(mail)})\r\n".encode()

    async def _log_in(self, command: str) -> bytes:
        await self._link.send(b"+ \r\n")
        secret = await self._link.answer()
        if not command.startswith("LOGIN "):
            secret = b64decode(secret).decode()
        self._server.commands.append(secret)
        return b"TAG OK done\r\n" if self._server.secret in secret else b"TAG NO [AUTHENTICATIONFAILED] no\r\n"


def _named(numbers: str) -> Iterable[int]:
    for part in numbers.split(","):
        first, _, last = part.partition(":")
        yield from range(int(first), int(last or first) + 1)
