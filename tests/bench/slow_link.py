"""One connection over a link of 20 ms: mails a second with overlapped pipelining, beside stop-and-wait clients."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import aiosmtplib

from app.delivery.connection import Connection
from app.delivery.opening import Approach, RelayFault
from app.domain.relay import Relay, Security
from app.net.logins import NoLogin
from app.protocols.smtp.transaction import OutgoingMail
from tests.bench.figures import Figure
from tests.support.delay_link import FAR, delay_link
from tests.support.mail_sequence import MailSequence

ROUND_TRIP_MS = 20
PORT = 2525
MAILS = 200
MAIL = OutgoingMail("a@example.org", ("b@example.org",), b"Subject: disk full on db1\r\n\r\n" + b"x" * 1000 + b"\r\n")
RELAY = Relay(name="sink", host=FAR, port=PORT, security=Security.INSECURE)


def one_connection() -> Iterator[Figure]:
    """Send the same mails to the same smtp-sink, one client after the other, each over one connection."""
    with delay_link(ROUND_TRIP_MS) as link:
        sink = subprocess.Popen(link.far_side(["smtp-sink", "-u", "nobody", f"{FAR}:{PORT}", "10"]))
        try:
            here = [sys.executable, "-m", "tests.bench.slow_link"]
            done = subprocess.run(link.near_side(here), check=True, capture_output=True, text=True)
        finally:
            sink.terminate()
            sink.wait(10)
    rates: dict[str, float] = json.loads(done.stdout)
    ours, theirs = rates["overlapped"], rates["aiosmtplib"]
    link_name = f"one connection, {ROUND_TRIP_MS} ms link"
    yield Figure(
        f"mails over {link_name}, overlapped pipelining", f"{ours:,.1f}/s, {ours / theirs:.1f} times", "3 times"
    )
    yield Figure("the same without PIPELINING", f"{rates['stop-and-wait']:,.1f}/s")
    yield Figure("the same by aiosmtplib, stop-and-wait", f"{theirs:,.1f}/s")


async def _ours(*, pipelining: bool) -> float:
    connection = await _connected(Approach(relay=RELAY, logins=NoLogin(), helo_name="client.test"))
    if not pipelining:
        connection.capabilities = replace(connection.capabilities, pipelining=False)
    begun = time.perf_counter()
    results = await MailSequence([MAIL] * MAILS).send_over(connection)
    rate = len(results) / (time.perf_counter() - begun)
    await connection.close()
    return rate


async def _connected(approach: Approach) -> Connection:
    for _ in range(50):
        try:
            return await Connection.open(approach)
        except RelayFault:
            await asyncio.sleep(0.1)  # the sink has not begun to listen
    raise AssertionError("the sink never listened")


async def _theirs() -> float:
    async with aiosmtplib.SMTP(hostname=FAR, port=PORT, start_tls=False) as client:
        begun = time.perf_counter()
        for _ in range(MAILS):
            await client.sendmail(MAIL.sender, list(MAIL.recipients), MAIL.data)
        return MAILS / (time.perf_counter() - begun)


def main() -> None:
    """Measure at the near side, and print the rates as JSON."""
    with asyncio.Runner() as runner:
        rates = {
            "overlapped": runner.run(_ours(pipelining=True)),
            "stop-and-wait": runner.run(_ours(pipelining=False)),
            "aiosmtplib": runner.run(_theirs()),
        }
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
