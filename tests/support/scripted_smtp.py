"""A fake SMTP server on loopback that keeps what it gets and misbehaves at any step as a script says.

    async with ScriptedSmtp(RCPT=["250 ok", "550 5.1.1 no such user"], DOT=Drop()) as server:
        ... connect to 127.0.0.1, server.port ...
    server.received[0].data

A step is one of STEPS. Its script is one action for always, a list of which each is used once (then the
step behaves well again), or a function of the line that came (None again means: behave well).
An action is a reply without its CRLF, raw bytes, or one of the classes of smtp_actions.
"""

import asyncio
import ssl
from base64 import b64decode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn, Self

from tests.support.smtp_actions import Action, Delay, Drop, Flood, Hang, HangUp, Script, Split, Wait, takes_the_mail

STEPS = ("GREETING", "EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BODY", "DOT", "RSET", "QUIT")
CAPABILITIES = ("PIPELINING", "SIZE 10485760", "ENHANCEDSTATUSCODES")

CRAM_CHALLENGE = "PDEyMy40NTZAc2NyaXB0ZWQudGVzdD4="  # <123.456@scripted.test>


@dataclass(frozen=True)
class StoredMail:
    """A mail that came whole, dots undone; `wire` is the content as it came, final dot included."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    wire: bytes
    mail_line: str
    encrypted: bool
    login: tuple[str, str] | None


@dataclass
class _Session:
    """What one connection has said so far."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    encrypted: bool = False
    login: tuple[str, str] | None = None
    mail_line: str = ""
    recipients: list[str] = field(default_factory=list)
    buffer: bytes = b""
    wrote: bool = False


class _Dropped(Exception):
    """The script cut the connection."""


class ScriptedSmtp:
    """See the head of this module. `mails` are those answered 2xx, `received` all whose dot came."""

    def __init__(
        self,
        *,
        capabilities: Sequence[str] = CAPABILITIES,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        forgets_pipelined: bool = False,
        **script: Script,
    ) -> None:
        assert set(script) <= set(STEPS), f"no such step: {set(script) - set(STEPS)}"
        self.host = host
        self.port = port
        self.mails: list[StoredMail] = []
        self.received: list[StoredMail] = []
        self.commands: list[str] = []
        self.connections = 0
        self.open_connections = 0
        self.most_connections = 0  # at one time
        self.round_trips = 0  # how often a client waited for us before it went on
        self._capabilities = list(capabilities)
        self._forgets_pipelined = forgets_pipelined  # what came behind a command is thrown away with its reply
        self._tls = tls
        self._implicit_tls = implicit_tls
        self._script: dict[str, Script] = {
            step: list(rule) if isinstance(rule, list | tuple) else rule for step, rule in script.items()
        }
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; again on the same port after a stop()."""
        self._server = await asyncio.start_server(
            self._accept, self.host, self.port, ssl=self._tls if self._implicit_tls else None
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and cut every connection."""
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def script(self, step: str, rule: Script) -> None:
        """Change how `step` behaves from now on."""
        self._script[step] = rule

    def cut(self, last_words: bytes = b"") -> None:
        """Say `last_words` on every open connection, asked or not, and cut it; new ones are welcome."""
        for writer in self._writers:
            writer.write(last_words)
            writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        self.open_connections += 1
        self.most_connections = max(self.most_connections, self.open_connections)
        session = _Session(reader, writer, encrypted=self._implicit_tls)
        try:
            with suppress(_Dropped, ConnectionError, asyncio.CancelledError, ssl.SSLError):
                await self._serve(session)
        finally:
            self.open_connections -= 1
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    async def _serve(self, session: _Session) -> None:
        await self._act(session, "GREETING", "", "220 scripted.test ESMTP")
        while (line := await self._line(session)) is not None:
            self.commands.append(line)
            if self._forgets_pipelined:
                session.buffer = b""
            verb = line.partition(" ")[0].upper()
            if verb in {"EHLO", "STARTTLS", "AUTH", "DATA"}:
                await getattr(self, f"_on_{verb.lower()}")(session, line)
                continue
            senderless = verb == "RCPT" and not session.mail_line
            reply = await self._act(session, verb, line, "503 5.5.1 MAIL first" if senderless else "250 2.0.0 ok")
            self._note(session, verb, line, reply)
            if verb == "QUIT":
                session.writer.close()
                return

    def _note(self, session: _Session, verb: str, line: str, reply: str) -> None:
        if verb in {"MAIL", "RSET", "HELO"}:
            session.mail_line = line if verb == "MAIL" and reply.startswith("2") else ""
            session.recipients.clear()
        elif verb == "RCPT" and reply.startswith("2"):
            session.recipients.append(_path(line))

    async def _on_ehlo(self, session: _Session, line: str) -> None:
        offers = [word for word in self._capabilities if not (word == "STARTTLS" and session.encrypted)]
        lines = ["scripted.test greets you", *offers]
        reply = "\r\n".join([*(f"250-{text}" for text in lines[:-1]), f"250 {lines[-1]}"])
        await self._act(session, "EHLO", line, reply)

    async def _on_starttls(self, session: _Session, line: str) -> None:
        reply = await self._act(session, "STARTTLS", line, "220 2.0.0 go ahead")
        if reply.startswith("220") and self._tls is not None:
            session.buffer = b""
            await session.writer.start_tls(self._tls)
            session.encrypted = True

    async def _on_auth(self, session: _Session, line: str) -> None:
        _, mechanism, *response = line.split(" ")
        match mechanism.upper():
            case "LOGIN":
                user, secret = [_decoded(await self._ask(session, prompt)) for prompt in ("VXNlcg==", "UGFzcw==")]
            case "CRAM-MD5":  # the secret is then the digest
                user, _, secret = _decoded(await self._ask(session, CRAM_CHALLENGE)).rpartition(" ")
            case "PLAIN":
                _, user, secret = _decoded(response[0] if response else await self._ask(session, "")).split("\0")
            case _:
                user, secret = _bearer(_decoded(response[0] if response else await self._ask(session, "")))
        session.login = (user, secret)
        reply = await self._act(session, "AUTH", line, "235 2.7.0 welcome")
        if reply.startswith("334"):  # RFC 7628 section 3.2.3: why it fails, and after the client's dummy that it does
            self.commands.append(await self._line(session) or "")
            await self._act(session, "AUTH", line, "535 5.7.8 no")

    async def _ask(self, session: _Session, prompt: str) -> str:
        await self._send(session, f"334 {prompt}\r\n".encode())
        answer = await self._line(session)
        if answer is None:
            raise _Dropped
        self.commands.append(answer)
        return answer

    async def _on_data(self, session: _Session, line: str) -> None:
        default = "354 go on" if session.recipients else "554 5.5.1 no valid recipients"
        reply = await self._act(session, "DATA", line, default)
        if not reply.startswith("3"):
            return
        wire = await self._content(session)
        mail = StoredMail(
            sender=_path(session.mail_line),
            recipients=tuple(session.recipients),
            data=wire[:-3].replace(b"\r\n..", b"\r\n.").removeprefix(b"." if wire.startswith(b"..") else b""),
            wire=wire,
            mail_line=session.mail_line,
            encrypted=session.encrypted,
            login=session.login,
        )
        self.received.append(mail)
        session.mail_line = ""
        session.recipients.clear()
        action = self._action("DOT", "", f"250 2.0.0 queued as {len(self.received)}")
        if takes_the_mail(action):  # stored before it is answered, as servers do
            self.mails.append(mail)
        await self._perform(session, action)

    async def _content(self, session: _Session) -> bytes:
        if "BODY" in self._script:
            await self._more(session)
            await self._act(session, "BODY", "", "")
        content, searched = bytearray(session.buffer), 0  # large mails: nothing is copied or searched twice
        while not content.startswith(b".\r\n") and (found := content.find(b"\r\n.\r\n", searched)) < 0:
            searched = max(0, len(content) - 4)
            session.buffer = b""
            if not await self._more(session):
                raise _Dropped
            content += session.buffer
        end = 3 if content.startswith(b".\r\n") else found + 5
        wire, session.buffer = bytes(content[:end]), bytes(content[end:])
        return wire

    async def _line(self, session: _Session) -> str | None:
        while b"\r\n" not in session.buffer:
            if not await self._more(session):
                return None
        line, _, session.buffer = session.buffer.partition(b"\r\n")
        return line.decode()

    async def _more(self, session: _Session) -> bool:
        if session.wrote:
            self.round_trips += 1
            session.wrote = False
        data = await session.reader.read(65536)
        session.buffer += data
        return bool(data)

    async def _act(self, session: _Session, step: str, line: str, default: str) -> str:
        """Do what the script says at `step`, and return the reply that was sent."""
        return await self._perform(session, self._action(step, line, default))

    async def _perform(self, session: _Session, action: Action) -> str:
        match action:
            case Drop() | Hang() | Flood():
                return await self._break_off(session, action)
            case Delay(seconds=seconds, reply=reply):
                await asyncio.sleep(seconds)
                return await self._say(session, reply)
            case Wait() as wait:
                wait.reached.set()
                await wait.event.wait()
                return await self._say(session, wait.reply)
            case HangUp() as hang_up:
                said = await self._say(session, hang_up.reply)
                asyncio.get_running_loop().call_later(hang_up.after_s, _end, session.writer, hang_up.last_words)
                return said
            case Split(reply=reply, pause_s=pause_s):
                for byte in f"{reply}\r\n".encode():
                    await self._send(session, bytes([byte]))
                    await asyncio.sleep(pause_s)
                return reply
            case str() | bytes() as reply:
                return await self._say(session, reply)

    async def _break_off(self, session: _Session, action: Drop | Hang | Flood) -> NoReturn:
        match action:
            case Hang():
                await asyncio.Event().wait()
            case Flood(data=data):
                while True:  # until the client hangs up, and the write fails
                    await self._send(session, data)
            case Drop(first=first):
                await self._send(session, first)
                if first:
                    session.writer.close()
        raise _Dropped

    def _action(self, step: str, line: str, default: str) -> Action:
        """Return what the script says, or `default`."""
        rule = self._script.get(step)
        if isinstance(rule, list):
            rule = rule.pop(0) if rule else None
        elif callable(rule):
            rule = rule(line)
        return default if rule is None else rule  # type: ignore[return-value]  # a sequence was made a list in __init__

    async def _say(self, session: _Session, reply: str | bytes) -> str:
        await self._send(session, reply if isinstance(reply, bytes) else f"{reply}\r\n".encode() if reply else b"")
        return reply.decode("latin-1") if isinstance(reply, bytes) else reply

    async def _send(self, session: _Session, data: bytes) -> None:
        session.wrote = True
        session.writer.write(data)
        await session.writer.drain()


def _end(writer: asyncio.StreamWriter, last_words: bytes) -> None:
    writer.write(last_words)
    writer.close()


def _path(line: str) -> str:
    return line[line.index("<") + 1 : line.index(">")]


def _bearer(response: str) -> tuple[str, str]:
    """Return user and token of a response of XOAUTH2 or OAUTHBEARER."""
    user, _, token = response.removesuffix("\x01\x01").partition("\x01auth=Bearer ")
    return user.removeprefix("user=").removeprefix("n,a=").rstrip(","), token


def _decoded(text: str) -> str:
    return b64decode(text).decode()
