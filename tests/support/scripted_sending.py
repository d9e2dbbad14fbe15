"""The whole sending half towards a scripted server, over real sockets."""

from app.delivery.connection import Connection
from app.delivery.opening import DEFAULT_TIMEOUTS, Approach, Timeouts
from app.domain.envelope import EnvelopeState
from app.domain.login import Login
from app.domain.relay import Relay, RelayPolicy, Security
from app.net.logins import FixedLogin, NoLogin
from tests.support.clock import FakeClock
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.sending import Sending

ALONE = RelayPolicy(connections=1)


def approach_to(
    server: ScriptedSmtp, *, name: str = "mx", timeouts: Timeouts = DEFAULT_TIMEOUTS, login: Login | None = None
) -> Approach:
    """Return how the server is approached: in plaintext."""
    relay = Relay(name=name, host=server.host, port=server.port, security=Security.OPPORTUNISTIC)
    logins = FixedLogin(login) if login else NoLogin()
    return Approach(relay=relay, logins=logins, helo_name="client.test", timeouts=timeouts)


def sending_to(
    server: ScriptedSmtp,
    policy: RelayPolicy = ALONE,
    *,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    login: Login | None = None,
    clock: FakeClock | None = None,
) -> Sending:
    """Return a sender to this server; its journal is in memory."""
    approach = approach_to(server, timeouts=timeouts, login=login)

    async def connect(may_pipeline: bool) -> Connection:
        return await Connection.open(approach, may_pipeline=may_pipeline)

    return Sending(policies=[policy], connect=connect, clock=clock)


def subjects(server: ScriptedSmtp) -> list[str]:
    """Return the subjects of the mails that the server took."""
    return sorted(mail.data.decode().split("\r\n")[0].removeprefix("Subject: ") for mail in server.mails)


async def put_and_record(sending: Sending, *names: str) -> dict[str, EnvelopeState]:
    """Send mails with these subjects, and return where each stands after its first verdict."""
    made = {sending.put(subject=name)[0]: name for name in names}
    sending.start()
    verdicts = await sending.recorded(len(made))
    return {made[verdict.envelope_id]: verdict.state for verdict in verdicts}
