"""A token server of OAuth 2.0 on loopback that keeps what it is asked and answers as a test says.

    async with TokenServer() as server:
        ... ask at server.url ...
    server.forms[0]["grant_type"]

`answers` are used one after the other: a status and the JSON of the body, or the body as it is.
When they are used up it gives "token-1", "token-2" and so on, for an hour each.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import parse_qsl

Answer = tuple[int, Mapping[str, Any] | bytes]


class TokenServer:
    """See the head of this module."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None, silent: bool = False) -> None:
        self.forms: list[dict[str, str]] = []
        self._answers = list(answers)
        self._tls = tls
        self._silent = silent
        self._port = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it takes requests."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}/token"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].split("\r\n")[0])
            self.forms.append(dict(parse_qsl((await reader.readexactly(length)).decode(), strict_parsing=True)))
            if self._silent:
                await reader.read()  # until the client hangs up
                return
            writer.write(self._answer())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client thought better of it
        finally:
            writer.close()

    def _answer(self) -> bytes:
        status, body = self._answers.pop(0) if self._answers else (200, self._token())
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"HTTP/1.1 {status} so\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
        return head.encode() + data

    def _token(self) -> Mapping[str, Any]:
        return {"access_token": f"token-{len(self.forms)}", "token_type": "Bearer", "expires_in": 3600}


def grant(token: str, **fields: object) -> Answer:
    """Return the answer that gives `token`."""
    return 200, {"access_token": token, "token_type": "Bearer", **fields}


def refusal(error: str, description: str = "", *, status: int = 400) -> Answer:
    """Return the answer of RFC 6749 section 5.2."""
    return status, {"error": error, "error_description": description}
