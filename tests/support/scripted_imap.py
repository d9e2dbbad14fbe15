"""A fake IMAP server on loopback with a folder of mails, which misbehaves at any step as a script says.

    async with ScriptedImap([b"Subject: x\r\n\r\nhi\r\n"], SELECT="NO [INUSE] later") as server:
        ... connect to 127.0.0.1, server.port ...
    server.commands

A step is GREETING or the verb of a command, of which UID is no part. Its script is one action for always, a list of
which each is used once (then the step behaves well again), or a function of the line that came (None again means:
behave well). An action is an answer without tag and CRLF, raw bytes in which TAG stands for the tag, or one of
smtp_actions: Drop, Hang, Delay, Flood and Split.
"""

import asyncio
import re
import ssl
from base64 import b64decode
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Self

from tests.support.smtp_actions import Action, Delay, Drop, Flood, Hang, Script, Split

CAPABILITIES = ("IMAP4rev1", "AUTH=PLAIN", "AUTH=OAUTHBEARER", "AUTH=XOAUTH2", "ID", "IDLE", "UIDPLUS", "MOVE")
UIDVALIDITY = 7


class _Dropped(Exception):
    """The script cut the connection."""


class ScriptedImap:
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
        self.mails = dict(enumerate(mails, start=1))
        self.commands: list[str] = []  # without their tags, and what answers a challenge, decoded
        self.host, self.port = host, 0
        self.capabilities = capabilities
        self.greeting = greeting
        self.secret = secret
        self.tls = tls
        self.script: dict[str, Script] = {
            step: list(rule) if isinstance(rule, list | tuple) else rule for step, rule in script.items()
        }
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def said(self, verb: str) -> list[str]:
        """Return the commands with this verb that came."""
        return [command for command in self.commands if _verb(command) == verb]

    def verbs(self) -> list[str]:
        """Return the verbs that came, in order."""
        return [_verb(command) for command in self.commands]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(_Dropped, ConnectionError, asyncio.CancelledError, ssl.SSLError):
                await _Session(self, reader, writer).serve()
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


class _Session:
    """One connection."""

    def __init__(self, server: ScriptedImap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer

    async def serve(self) -> None:
        await self._act("GREETING", "", "*", f"* {self._server.greeting}\r\n".encode())
        while line := await self._line():
            if line == "DONE":  # of an IDLE that the script has answered already
                continue
            tag, _, command = line.partition(" ")
            self._server.commands.append(command)
            verb = _verb(command)
            if verb in {"AUTHENTICATE", "LOGIN"} and verb not in self._server.script:
                default = await self._log_in(command)
            else:
                default = self._answer(command)
            await self._act(verb, command, tag, default)
            if verb == "STARTTLS" and self._server.tls and verb not in self._server.script:
                await self._writer.start_tls(self._server.tls)
            if verb == "IDLE" and verb not in self._server.script:
                self._server.commands.append(await self._line())
                await self._send(f"{tag} OK done\r\n".encode())

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
        match _verb(command):
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
        if command.startswith("LOGIN "):
            await self._send(b"+ \r\n")
            secret = await self._line()
        else:
            await self._send(b"+ \r\n")
            secret = b64decode(await self._line()).decode()
        self._server.commands.append(secret)
        return b"TAG OK done\r\n" if self._server.secret in secret else b"TAG NO [AUTHENTICATIONFAILED] no\r\n"

    async def _line(self) -> str:
        return (await self._reader.readline()).decode().removesuffix("\r\n")

    async def _act(self, step: str, line: str, tag: str, default: bytes) -> None:
        """Do what the script says at `step`."""
        rule = self._server.script.get(step)
        if isinstance(rule, list):
            rule = rule.pop(0) if rule else None
        elif callable(rule):
            rule = rule(line)
        await self._perform(default if rule is None else rule, tag)  # type: ignore[arg-type]  # lists are done with

    async def _perform(self, action: Action, tag: str) -> None:
        match action:
            case Drop(first=first):
                await self._send(first)
                self._writer.close()
                raise _Dropped
            case Hang():
                await asyncio.Event().wait()
            case Flood(data=data):
                while True:  # until the client hangs up, and the write fails
                    await self._send(data)
            case Split(reply=reply, pause_s=pause_s):
                for byte in reply.encode():
                    await self._send(bytes([byte]))
                    await asyncio.sleep(pause_s)
            case Delay(seconds=seconds, reply=delayed):
                await asyncio.sleep(seconds)
                await self._perform(delayed, tag)
            case str() as text:
                await self._send(f"{tag} {text}\r\n".encode())
            case bytes() as answer:
                await self._send(answer.replace(b"TAG", tag.encode()))
            case _:
                raise AssertionError(f"no action of an IMAP server: {action}")

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


def _verb(command: str) -> str:
    return command.removeprefix("UID ").partition(" ")[0]


def _named(numbers: str) -> Iterable[int]:
    for part in numbers.split(","):
        first, _, last = part.partition(":")
        yield from range(int(first), int(last or first) + 1)
