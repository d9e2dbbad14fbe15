"""How the HTTP server is set up."""

import logging
import signal

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.httpkit.answers import answer
from app.httpkit.limits import Receive, Scope, Send, ServerLimits
from app.httpkit.server import SignalFreeServer, server_config


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer nothing."""
    await answer(send, 204, b"", b"")


def test_signals_stay_with_the_service() -> None:
    """The server does not touch the signal handlers of the process."""
    before = signal.getsignal(signal.SIGTERM)
    with SignalFreeServer(server_config(app, limits=ServerLimits())).capture_signals():
        assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(("proxies", "believed"), [([], False), (["10.0.0.0/8"], True)], ids=["none", "one"])
def test_proxies_are_believed_only_by_name(proxies: list[str], believed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without trusted proxies nobody can say where he comes from, whatever the environment holds."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    config = server_config(app, limits=ServerLimits(), trusted_proxies=proxies)
    config.load()
    assert isinstance(config.loaded_app, ProxyHeadersMiddleware) is believed
    assert config.forwarded_allow_ips == proxies


def test_the_server_logs_no_requests() -> None:
    """uvicorn's lines for each request hold query strings; none is written."""
    server_config(app, limits=ServerLimits())
    assert not logging.getLogger("uvicorn.access").hasHandlers()
    assert logging.getLogger("uvicorn.error").level == logging.ERROR
