"""A fake POP3 server on loopback with a mailbox of mails, which misbehaves at any step as a script says.

    async with ScriptedPop3([b"Subject: x\r\n\r\nhi\r\n"], PASS="-ERR [AUTH] no") as server:
        ... connect to server.host, server.port ...
    server.commands

A step is one of STEPS, given by name or in `script`; scripted_server tells what a script may say.
"""

import hashlib
import ssl
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence

from tests.support.scripted_server import Link, ScriptedServer
from tests.support.smtp_actions import Script

STEPS = (
    *("GREETING", "CAPA", "STLS", "USER", "PASS", "APOP", "AUTH", "STAT", "LIST", "UIDL"),
    *("TOP", "RETR", "DELE", "RSET", "NOOP", "QUIT"),
)
CAPABILITIES = ("TOP", "UIDL", "RESP-CODES", "PIPELINING", "USER", "SASL PLAIN LOGIN XOAUTH2 OAUTHBEARER")
TIMESTAMP = "<1896.697170952@scripted.test>"


class ScriptedPop3(ScriptedServer):
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
        super().__init__(script=steps, tls=tls, implicit_tls=implicit_tls, host=host)
        self.mails = dict(enumerate(mails, start=1))
        self.uids: dict[int, str] = {}  # instead of uid-1, uid-2 …
        self.login = ("", "")  # user and secret as they were said; for APOP the secret itself, if the digest was right
        self.capabilities = capabilities
        self.timestamp = timestamp
        self.secret = secret

    async def serve(self, link: Link) -> None:
        """Speak with a client until QUIT."""
        await _Session(self, link).serve()


class _Session:
    """One connection."""

    def __init__(self, server: ScriptedPop3, link: Link) -> None:
        self._server = server
        self._link = link
        self._mails = dict(server.mails)
        self._marked: set[int] = set()
        self._username = ""

    async def serve(self) -> None:
        greeting = f"+OK scripted.test {self._server.timestamp}".rstrip()
        await self._link.perform(self._server.scripted("GREETING", "") or greeting)
        while (line := await self._link.line()) is not None:
            self._server.commands.append(line)
            verb = self._server.verb(line)
            sound = self._auth if verb == "AUTH" else self._sound_answer
            answer = await self._link.perform(self._server.scripted(verb, line) or await sound(line))
            if verb == "STLS" and answer.startswith(b"+OK") and self._server.tls:
                await self._link.start_tls(self._server.tls)
            if verb == "QUIT":
                self._link.end()
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
        await self._link.send(f"+ {prompt}\r\n".encode())
        answer = await self._link.answer()
        self._server.commands.append(answer)
        return answer


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in ("+OK", *lines, ".")).encode()


def _content(data: bytes) -> bytes:
    """Return a mail as RETR gives it. RFC 1939 section 3: leading dots are doubled."""
    return b"+OK\r\n" + (b"\r\n" + data).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


def _decoded(text: str) -> str:
    return b64decode(text).decode()
