"""Links that cannot be trusted: certificates of the wrong kind, STARTTLS taken away, plaintext slipped in."""

from pathlib import Path

import pytest

from tests.support.background_relay import background_relay
from tests.support.certificates import Authority
from tests.support.fault_run import FaultRun
from tests.support.scripted_smtp import CAPABILITIES, ScriptedSmtp

PASSWORD = "never in the clear"
WITH_TLS = (*CAPABILITIES, "STARTTLS", "AUTH PLAIN LOGIN")


def run_towards(relay: ScriptedSmtp, folder: Path, authority: Authority, scheme: str = "smtp+starttls") -> FaultRun:
    """Return a run whose relay asks for a login over TLS."""
    url = f"{scheme}://tim@127.0.0.1:{relay.port}"
    run = FaultRun(folder, relay.port, relay=url, relay_password=PASSWORD)
    run.daemon.variables["SSL_CERT_FILE"] = str(authority.bundle)
    return run


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
@pytest.mark.parametrize(
    ("certificate", "word"),
    [
        ({"valid": "past"}, "has expired"),
        ({"valid": "future"}, "is not valid yet"),
        ({"name": "DNS:other.example.org"}, "is for another"),
        ({"self_signed": True}, "is self-signed"),
    ],
    ids=["expired", "not-yet", "wrong-name", "self-signed"],
)
def test_certificate(
    tmp_path: Path, authority: Authority, scheme: str, certificate: dict[str, object], word: str
) -> None:
    """Fault 12: a certificate that proves nothing gets no mail and no password; the log says why."""
    context = authority.server_context(**certificate)  # type: ignore[arg-type]  # a table of keyword arguments
    options = {"tls": context, "implicit_tls": scheme == "smtps", "capabilities": WITH_TLS}
    with background_relay(**options) as relay, run_towards(relay, tmp_path, authority, scheme) as run:
        alert = run.post()
        fault = run.daemon.wait_for_event("relay_fault")
        assert run.recipients(alert)[0]["attempts"] == 0
        balance = run.close(relay.mails)
    assert fault["scope"] == "configuration"
    assert word in fault["reason"]
    assert (balance.queued, relay.received) == (1, [])
    assert not [line for line in relay.commands if line.startswith(("AUTH", "MAIL"))]


def test_mended_certificate(tmp_path: Path, authority: Authority) -> None:
    """Fault 12: once the relay shows a good certificate the mail leaves by itself."""
    bad = authority.server_context(valid="past")
    with background_relay(tls=bad, capabilities=WITH_TLS) as relay, run_towards(relay, tmp_path, authority) as run:
        run.post()
        run.daemon.wait_for_event("relay_fault")
        bad.load_cert_chain(*authority.certificate_files())
        run.settle()
        balance = run.close(relay.mails)
    assert (balance.delivered, relay.mails[0].encrypted, relay.mails[0].login) == (1, True, ("tim", PASSWORD))


def test_starttls_stripped(tmp_path: Path, authority: Authority) -> None:
    """Fault 13: where somebody strips STARTTLS nothing is sent in the clear, no password either."""
    stripped = (*CAPABILITIES, "AUTH PLAIN LOGIN")
    with background_relay(capabilities=stripped) as relay, run_towards(relay, tmp_path, authority) as run:
        run.post()
        fault = run.daemon.wait_for_event("relay_fault")
        balance = run.close(relay.mails)
    assert fault["scope"] == "configuration"
    assert (balance.queued, relay.received) == (1, [])
    assert {line.partition(" ")[0] for line in relay.commands} <= {"EHLO", "QUIT"}


def test_plaintext_behind_starttls(tmp_path: Path, authority: Authority) -> None:
    """Fault 13: what somebody slips in behind the reply to STARTTLS is never taken for the relay's own words."""
    injected = b"220 2.0.0 go ahead\r\n250-injected\r\n250 AUTH CRAM-MD5\r\n235 2.7.0 welcome\r\n"
    context = authority.server_context()
    with (
        background_relay(tls=context, capabilities=WITH_TLS, STARTTLS=[injected]) as relay,
        run_towards(relay, tmp_path, authority) as run,
    ):
        run.post()
        run.settle()
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.flagged) == (1, 0)
    assert (relay.mails[0].encrypted, relay.mails[0].login) == (True, ("tim", PASSWORD))
