"""Relays that never come to the point: the opening ends by a deadline or a cap, and says which."""

import pytest

from app.delivery.connection import Connection
from app.delivery.opening import Approach, RelayFault, Timeouts
from app.domain.outcome import Scope
from app.domain.relay import Relay, Security
from app.net.logins import NoLogin
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.smtp_actions import Action, Drop, Flood, Hang, Split

FAULTS: dict[str, tuple[dict[str, Action], str]] = {
    "tarpit": ({"GREETING": Split("220 " + "x" * 100, pause_s=0.05)}, "did not answer within"),
    "tarpit at EHLO": ({"EHLO": Split("250 " + "x" * 100, pause_s=0.05)}, "did not answer within"),
    "endless reply": ({"GREETING": Flood(b"220-more\r\n")}, "more than 100 lines"),
    "endless reply to EHLO": ({"EHLO": Flood(b"250-X-MORE\r\n")}, "more than 100 lines"),
    "line without end": ({"GREETING": Flood(b"220 " + b"x" * 1000)}, "line of more than"),
    "refused": ({"GREETING": "554 5.7.1 go away"}, r"refused the connection .554 5\.7\.1 go away"),
    "busy": ({"GREETING": "421 4.3.2 later"}, "closing its connections"),
    "silent": ({"GREETING": Hang()}, "did not answer within"),
    "garbage": ({"GREETING": b"\x16\x03\x01\x02\x00\x01\x00\r\n"}, "no SMTP reply"),
    "another protocol": ({"GREETING": b"SSH-2.0-OpenSSH_9.2\r\n"}, "no SMTP reply: 'SSH-2.0"),
    "hangs up": ({"GREETING": Drop()}, "closed the connection"),
    "early talker": ({"GREETING": b"220 hello\r\n250 and more\r\n"}, "spoke out of turn"),
}


@pytest.mark.parametrize(("script", "said"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_relay_that_never_comes_to_the_point(script: dict[str, Action], said: str) -> None:
    """It is the relay's fault, in words that tell what it did; no mail is charged."""
    async with ScriptedSmtp(**script) as server:
        relay = Relay(name="mx", host="127.0.0.1", port=server.port, security=Security.INSECURE)
        timeouts = Timeouts(command_s=0.3, quit_s=0.2)
        with pytest.raises(RelayFault, match=said) as caught:
            await Connection.open(Approach(relay=relay, logins=NoLogin(), helo_name="c.test", timeouts=timeouts))
    assert caught.value.outcome.scope is Scope.RELAY
