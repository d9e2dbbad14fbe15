"""A fake POP3 server on loopback with a mailbox of mails, which misbehaves at any step as a script says.

    async with ScriptedPop3([b"Subject: x\r\n\r\nhi\r\n"], PASS="-ERR [AUTH] no") as server:
        ... connect to server.host, server.port ...
    server.commands

A step is one of STEPS, given by name or in `script`. Its script is one action for always, a list of which each is used
once (then the step behaves well again), or a function of the line that came (None again means: behave well). An action
is an answer without its CRLF, raw bytes, or one of smtp_actions: Drop, Hang, Delay, Flood and Split.
"""

import asyncio
import hashlib
import ssl
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Self

from tests.support.smtp_actions import Action, Delay, Drop, Flood, Hang, Script, Split

STEPS = (
    *("GREETING", "CAPA", "STLS", "USER", "PASS", "APOP", "AUTH", "STAT", "LIST", "UIDL"),
    *("TOP", "RETR", "DELE", "RSET", "NOOP", "QUIT"),
)
CAPABILITIES = ("TOP", "UIDL", "RESP-CODES", "PIPELINING", "USER", "SASL PLAIN LOGIN XOAUTH2 OAUTHBEARER")
TIMESTAMP = "<1896.697170952@scripted.test>"


class _Dropped(Exception):
    """The script cut the connection."""


class ScriptedPop3:
    """See the head of this module. `mails` change when a session ends by QUIT, as RFC 1939 section 6 has it.

    `capabilities` None: a server from before CAPA. With `timestamp` it offers APOP.
    """

    def __init__(
        self,
        mails: Iterable[bytes] = (),
        *,
        capabilities: Sequence[str] | None = CAPABILITIES,
        timestamp: str = "",
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        host: str = "127.0.0.1",
        secret: str = "tanstaaf",
        script: Mapping[str, Script] | None = None,
        **steps: Script,
    ) -> None:
        steps |= script or {}
        assert set(steps) <= set(STEPS), f"no such step: {set(steps) - set(STEPS)}"
        self.mails = dict(enumerate(mails, start=1))
        self.uids: dict[int, str] = {}  # instead of uid-1, uid-2 …
        self.commands: list[str] = []
        self.login = ("", "")  # user and secret as they were said; for APOP the secret itself, if the digest was right
        self.host = host
        self.port = 0
        self.round_trips = 0  # how often a client waited for us before it went on
        self.sessions = 0
        self.capabilities = capabilities
        self.timestamp = timestamp
        self.secret = secret
        self.tls = tls
        self.script: dict[str, Script] = {
            step: list(rule) if isinstance(rule, list | tuple) else rule for step, rule in steps.items()
        }
        self._implicit_tls = implicit_tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        tls = self.tls if self._implicit_tls else None
        self._server = await asyncio.start_server(self._accept, self.host, 0, ssl=tls)
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
        return [command for command in self.commands if command.partition(" ")[0] == verb]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.sessions += 1
        try:
            with suppress(_Dropped, ConnectionError, asyncio.CancelledError, ssl.SSLError):
                await _Session(self, reader, writer).serve()
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


class _Session:
    """One connection."""

    def __init__(self, server: ScriptedPop3, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._mails = dict(server.mails)
        self._marked: set[int] = set()
        self._username = ""
        self._buffer = b""
        self._wrote = False

    async def serve(self) -> None:
        greeting = f"+OK scripted.test {self._server.timestamp}".rstrip()
        await self._perform(self._scripted("GREETING", "") or greeting)
        while (line := await self._line()) is not None:
            self._server.commands.append(line)
            verb = line.partition(" ")[0]
            sound = self._auth if verb == "AUTH" else self._sound_answer
            answer = await self._perform(self._scripted(verb, line) or await sound(line))
            if verb == "STLS" and answer.startswith(b"+OK") and self._server.tls:
                self._buffer = b""
                await self._writer.start_tls(self._server.tls)
            if verb == "QUIT":
                self._writer.close()
                return

    async def _sound_answer(self, line: str) -> bytes:
        match line.split(" "):
            case ["CAPA"] if self._server.capabilities is not None:
                return _lines(self._server.capabilities)
            case ["STLS"] if self._server.tls:
                return b"+OK go ahead\r\n"
            case ["USER", name]:
                self._username = name
                return b"+OK\r\n"
            case ["PASS", *words]:
                return self._welcome(self._username, " ".join(words))
            case ["APOP", name, digest]:
                said = f"{self._server.timestamp}{self._server.secret}".encode()
                right = hashlib.md5(said).hexdigest() == digest
                return self._welcome(name, self._server.secret if right else "")
            case [verb, *numbers]:
                return self._transact(verb, *map(int, numbers))
        raise AssertionError

    def _welcome(self, user: str, secret: str) -> bytes:
        self._server.login = (user, secret)
        return b"+OK welcome\r\n" if secret == self._server.secret else b"-ERR [AUTH] no\r\n"

    def _transact(self, verb: str, number: int = 0, _lines_of_body: int = 0) -> bytes:
        left = {number: mail for number, mail in self._mails.items() if number not in self._marked}
        match verb:
            case "STAT":
                return f"+OK {len(left)} {sum(map(len, left.values()))}\r\n".encode()
            case "LIST":
                return _lines(f"{number} {len(mail)}" for number, mail in left.items())
            case "UIDL":
                return _lines(f"{number} {self._server.uids.get(number, f'uid-{number}')}" for number in left)
            case "TOP" | "RETR" if number in left:
                mail = left[number]
                return _content(mail if verb == "RETR" else mail.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
            case "DELE" if number in left:
                self._marked.add(number)
            case "RSET":
                self._marked.clear()
            case "QUIT":
                self._server.mails = left
            case "NOOP":
                pass
            case _:
                return b"-ERR what?\r\n"
        return b"+OK\r\n"

    async def _auth(self, line: str) -> bytes:
        _, mechanism, *response = line.split(" ")
        if mechanism == "LOGIN":
            user, secret = [_decoded(await self._ask(prompt)) for prompt in ("VXNlcg==", "UGFzcw==")]
            return self._welcome(user, secret)
        said = _decoded(response[0] if response else await self._ask(""))
        if mechanism == "PLAIN":
            _, user, secret = said.split("\0")
        else:
            user, _, secret = said.removesuffix("\x01\x01").partition("\x01auth=Bearer ")
        return self._welcome(user.removeprefix("user=").removeprefix("n,a=").rstrip(","), secret)

    async def _ask(self, prompt: str) -> str:
        await self._send(f"+ {prompt}\r\n".encode())
        answer = await self._line()
        if answer is None:
            raise _Dropped
        self._server.commands.append(answer)
        return answer

    async def _line(self) -> str | None:
        while b"\r\n" not in self._buffer:
            self._server.round_trips += self._wrote
            self._wrote = False
            data = await self._reader.read(65536)
            if not data:
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line.decode()

    def _scripted(self, step: str, line: str) -> Action | None:
        """Return what the script says, if it does."""
        rule = self._server.script.get(step)
        if isinstance(rule, list):
            rule = rule.pop(0) if rule else None
        elif callable(rule):
            rule = rule(line)
        return rule  # type: ignore[return-value]  # a sequence was made a list in __init__

    async def _perform(self, action: Action) -> bytes:
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
                for byte in f"{reply}\r\n".encode():
                    await self._send(bytes([byte]))
                    await asyncio.sleep(pause_s)
                return reply.encode()
            case Delay(seconds=seconds, reply=delayed):
                await asyncio.sleep(seconds)
                return await self._perform(delayed)
            case str() as text:
                return await self._perform(f"{text}\r\n".encode())
            case bytes() as answer:
                await self._send(answer)
                return answer
        raise AssertionError(f"no action of a POP3 server: {action}")

    async def _send(self, data: bytes) -> None:
        self._wrote = True
        self._writer.write(data)
        await self._writer.drain()


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in ("+OK", *lines, ".")).encode()


def _content(data: bytes) -> bytes:
    """Return a mail as RETR gives it. RFC 1939 section 3: leading dots are doubled."""
    return b"+OK\r\n" + (b"\r\n" + data).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


def _decoded(text: str) -> str:
    return b64decode(text).decode()
