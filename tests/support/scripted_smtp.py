"""A fake SMTP server on loopback that keeps what it gets and misbehaves at any step as a script says.

    async with ScriptedSmtp(RCPT=["250 ok", "550 5.1.1 no such user"], DOT=Drop()) as server:
        ... connect to 127.0.0.1, server.port ...
    server.received[0].data

A step is one of STEPS; scripted_server tells what a script may say.
"""

import ssl
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.scripted_server import Dropped, Link, ScriptedServer
from tests.support.smtp_actions import Action, Script, takes_the_mail

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

    link: Link
    login: tuple[str, str] | None = None
    mail_line: str = ""
    recipients: list[str] = field(default_factory=list)


class ScriptedSmtp(ScriptedServer):
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
        super().__init__(script=script, tls=tls, implicit_tls=implicit_tls, host=host, port=port)
        self.mails: list[StoredMail] = []
        self.received: list[StoredMail] = []
        self._capabilities = list(capabilities)
        self._forgets_pipelined = forgets_pipelined  # what came behind a command is thrown away with its reply

    async def serve(self, link: Link) -> None:
        """Speak with a client until QUIT."""
        session = _Session(link)
        await self._act(session, "GREETING", "", "220 scripted.test ESMTP")
        while (line := await link.line()) is not None:
            self.commands.append(line)
            if self._forgets_pipelined:
                link.buffer = b""
            verb = self.verb(line).upper()
            if verb in {"EHLO", "STARTTLS", "AUTH", "DATA"}:
                await getattr(self, f"_on_{verb.lower()}")(session, line)
                continue
            senderless = verb == "RCPT" and not session.mail_line
            reply = await self._act(session, verb, line, "503 5.5.1 MAIL first" if senderless else "250 2.0.0 ok")
            self._note(session, verb, line, reply)
            if verb == "QUIT":
                link.end()
                return

    def _note(self, session: _Session, verb: str, line: str, reply: str) -> None:
        if verb in {"MAIL", "RSET", "HELO"}:
            session.mail_line = line if verb == "MAIL" and reply.startswith("2") else ""
            session.recipients.clear()
        elif verb == "RCPT" and reply.startswith("2"):
            session.recipients.append(_path(line))

    async def _on_ehlo(self, session: _Session, line: str) -> None:
        offers = [word for word in self._capabilities if not (word == "STARTTLS" and session.link.encrypted)]
        lines = ["scripted.test greets you", *offers]
        reply = "\r\n".join([*(f"250-{text}" for text in lines[:-1]), f"250 {lines[-1]}"])
        await self._act(session, "EHLO", line, reply)

    async def _on_starttls(self, session: _Session, line: str) -> None:
        reply = await self._act(session, "STARTTLS", line, "220 2.0.0 go ahead")
        if reply.startswith("220") and self.tls is not None:
            await session.link.start_tls(self.tls)

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
            self.commands.append(await session.link.line() or "")
            await self._act(session, "AUTH", line, "535 5.7.8 no")

    async def _ask(self, session: _Session, prompt: str) -> str:
        await session.link.send(f"334 {prompt}\r\n".encode())
        answer = await session.link.answer()
        self.commands.append(answer)
        return answer

    async def _on_data(self, session: _Session, line: str) -> None:
        default = "354 go on" if session.recipients else "554 5.5.1 no valid recipients"
        reply = await self._act(session, "DATA", line, default)
        if not reply.startswith("3"):
            return
        if self.has_script("BODY"):
            await session.link.more()
            await self._act(session, "BODY", "", "")
        wire = await self.content(session.link)
        mail = StoredMail(
            sender=_path(session.mail_line),
            recipients=tuple(session.recipients),
            data=wire[:-3].replace(b"\r\n..", b"\r\n.").removeprefix(b"." if wire.startswith(b"..") else b""),
            wire=wire,
            mail_line=session.mail_line,
            encrypted=session.link.encrypted,
            login=session.login,
        )
        self.received.append(mail)
        session.mail_line = ""
        session.recipients.clear()
        action = self._action("DOT", "", f"250 2.0.0 queued as {len(self.received)}")
        if takes_the_mail(action):  # stored before it is answered, as servers do
            self.mails.append(mail)
        await session.link.perform(action)

    async def content(self, link: Link) -> bytes:
        """Return what comes behind DATA, final dot included."""
        content, searched = bytearray(link.buffer), 0  # large mails: nothing is copied or searched twice
        while not content.startswith(b".\r\n") and (found := content.find(b"\r\n.\r\n", searched)) < 0:
            searched = max(0, len(content) - 4)
            link.buffer = b""
            if not await link.more():
                raise Dropped
            content += link.buffer
        end = 3 if content.startswith(b".\r\n") else found + 5
        wire, link.buffer = bytes(content[:end]), bytes(content[end:])
        return wire

    async def _act(self, session: _Session, step: str, line: str, default: str) -> str:
        """Do what the script says at `step`, and return the reply that was sent."""
        return (await session.link.perform(self._action(step, line, default))).decode("latin-1")

    def _action(self, step: str, line: str, default: str) -> Action:
        action = self.scripted(step, line)
        return default if action is None else action


def _path(line: str) -> str:
    return line[line.index("<") + 1 : line.index(">")]


def _bearer(response: str) -> tuple[str, str]:
    """Return user and token of a response of XOAUTH2 or OAUTHBEARER."""
    user, _, token = response.removesuffix("\x01\x01").partition("\x01auth=Bearer ")
    return user.removeprefix("user=").removeprefix("n,a=").rstrip(","), token


def _decoded(text: str) -> str:
    return b64decode(text).decode()
