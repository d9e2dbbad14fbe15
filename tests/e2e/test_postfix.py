"""Mail through a real Postfix: what is posted by a real curl arrives in the mailbox."""

import json
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.daemon import Daemon, mail_settings
from tests.support.dovecot import MECHANISMS, Dovecot
from tests.support.ledger import close_ledger
from tests.support.ledger_records import copies_in, read_journal
from tests.support.postfix import RECIPIENT_LIMIT, SIZE_LIMIT, Postfix
from tests.support.requirements import require

USER, PASSWORD = "tim", "pa55-w0rd"
MAILBOXES = ("arrives", "unicode", "one", "two", "good", "encrypted", "untrusted", "large", "cut", "ledger")
MANY = tuple(f"many{number}" for number in range(2 * RECIPIENT_LIMIT + 1))
LOGINS = tuple(f"login-{mechanism}" for mechanism in MECHANISMS)
FILE = {"name": "trace.log", "content": b64encode(b"0123456789\n" * (SIZE_LIMIT // 10)).decode()}


@pytest.fixture(scope="module")
def postfix(authority: Authority) -> Iterator[Postfix]:
    """A relay with a mailbox for each test, whose certificate is for 127.0.0.1."""
    certificate, key = authority.certificate_files()
    mailboxes = (*MAILBOXES, *MANY, *LOGINS)
    with (
        Dovecot(user=USER, password=PASSWORD) as dovecot,
        Postfix(mailboxes, certificate=certificate, key=key, dovecot=dovecot) as running,
    ):
        yield running


@pytest.fixture
def daemon(postfix: Postfix, tmp_path: Path) -> Iterator[Daemon]:
    """A daemon with that relay, not yet started, so that a test can say to whom it mails."""
    with Daemon(tmp_path / "var", **mail_settings(postfix.port, server_name="db1", alarm__to="[]")) as made:
        yield made


def curl(daemon: Daemon, *arguments: str) -> dict[str, Any]:
    """Post with curl and return the answer, which must be a success."""
    command = [require("curl"), "--silent", "--show-error", "--fail-with-body", *arguments]
    url = f"http://127.0.0.1:{daemon.port}/alerts"
    done = subprocess.run([*command, url], capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, (done.stdout, done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def text_of(mail: EmailMessage, subtype: str = "plain") -> str:
    part = mail.get_body((subtype,))
    assert part is not None
    return str(part.get_content())


def test_an_alert_arrives(postfix: Postfix, daemon: Daemon) -> None:
    """What `curl -d` posts is in the mailbox, as text and HTML, with every header that the design lists."""
    daemon.set(mail_to="arrives@example.org")
    daemon.start()
    number = curl(daemon, "-d", "backup failed on db1\nno space & 100% full + more=true")["id"]
    (mail,) = postfix.mails("arrives", count=1)
    assert mail["Subject"] == "[db1] backup failed on db1"
    assert "no space & 100% full + more=true" in text_of(mail)
    assert "no space &amp; 100% full + more=true" in text_of(mail, "html")
    assert mail.get_content_type() == "multipart/alternative"
    assert (mail["From"], mail["To"]) == ("alerts@example.org", "arrives@example.org")
    assert mail["Return-Path"] == "<alerts@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@example.org>")
    assert all(mail[name] for name in ("Date", "List-Id", "X-Auto-Response-Suppress", "X-MailAlert-Id"))
    report = daemon.get(f"/alerts/{number}").json
    assert (report["state"], report["mails"][0]["recipients"][0]["state"]) == ("sent", "sent")


def test_unicode_arrives(postfix: Postfix, daemon: Daemon) -> None:
    """A subject and a text in any script reach the reader as they were posted."""
    daemon.set(mail_to="unicode@example.org", server_name="größe")
    daemon.start()
    alert = {
        "subject": "磁盘已满 🔥 Überlauf",
        "content": "温度 95 °C\nمرحبا\n.\n..two dots",
        "labels": {"ort": "Köln"},
    }
    curl(daemon, "-H", "Content-Type: application/json", "-d", json.dumps(alert, ensure_ascii=False))
    (mail,) = postfix.mails("unicode", count=1)
    assert mail["Subject"] == "[größe] 磁盘已满 🔥 Überlauf"
    assert "温度 95 °C\nمرحبا\n.\n..two dots\n" in text_of(mail)
    assert "Köln" in text_of(mail)


def test_every_recipient_gets_the_mail(postfix: Postfix, daemon: Daemon) -> None:
    """Two recipients get one and the same mail, and each sees both."""
    daemon.set(mail_to="one@example.org; Two <two@example.org>")
    daemon.start()
    curl(daemon, "-d", "for both")
    (first,), (second,) = postfix.mails("one", count=1), postfix.mails("two", count=1)
    assert first["Message-ID"] == second["Message-ID"]
    assert first["To"] == second["To"] == "one@example.org, Two <two@example.org>"


def test_a_refused_recipient_does_not_cost_the_others(postfix: Postfix, daemon: Daemon) -> None:
    """A recipient whom Postfix does not know beside a good one: partly sent, with Postfix's own words."""
    daemon.set(mail_to="unknown.4711@example.org, good@example.org")
    daemon.start()
    number = curl(daemon, "-d", "for one of two")["id"]
    assert len(postfix.mails("good", count=1)) == 1
    daemon.wait_until_idle()
    report = daemon.get(f"/alerts/{number}").json
    refused, sent = report["mails"][0]["recipients"]
    assert (report["state"], refused["state"], sent["state"]) == ("partly sent", "refused", "sent")
    assert refused["reply"].startswith("550 5.1.1 <unknown.4711@example.org>: Recipient address rejected")
    assert refused["relay"] == "127.0.0.1"


def test_starttls_is_verified(postfix: Postfix, daemon: Daemon, authority: Authority) -> None:
    """With the authority trusted, mail goes over TLS to the relay that the certificate names."""
    daemon.set(mail_to="encrypted@example.org", relay=f"smtp+starttls://127.0.0.1:{postfix.port}")
    daemon.variables["SSL_CERT_FILE"] = str(authority.bundle)
    daemon.start()
    curl(daemon, "-d", "for your eyes only")
    (mail,) = postfix.mails("encrypted", count=1)
    assert "using TLSv1." in mail["Received"]


def test_a_relay_that_nobody_vouches_for_gets_nothing(postfix: Postfix, daemon: Daemon) -> None:
    """Without trust in the certificate nothing is sent, and the mail waits for the settings to be put right."""
    daemon.set(mail_to="untrusted@example.org", relay=f"smtp+starttls://127.0.0.1:{postfix.port}")
    daemon.start()
    number = curl(daemon, "-d", "not for strangers")["id"]
    assert daemon.wait_for_event("relay_fault")["scope"] == "configuration"
    assert daemon.get(f"/alerts/{number}").json["state"] == "queued"
    assert "untrusted@example.org" not in postfix.log()


def over_tls(daemon: Daemon, authority: Authority, port: int, password: str = PASSWORD) -> None:
    """Let the daemon log in at this port, with the relay's certificate trusted."""
    daemon.set(relay=f"smtp+starttls://{USER}@127.0.0.1:{port}", relay_password=password)
    daemon.variables["SSL_CERT_FILE"] = str(authority.bundle)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_login(postfix: Postfix, daemon: Daemon, authority: Authority, mechanism: str) -> None:
    """A relay that wants a login gets it by the mechanism that it offers, checked by a real Dovecot."""
    daemon.set(mail_to=f"login-{mechanism}@example.org")
    over_tls(daemon, authority, postfix.login_ports[mechanism])
    daemon.start()
    curl(daemon, "-d", "for members only")
    assert len(postfix.mails(f"login-{mechanism}", count=1)) == 1
    assert f"sasl_method={mechanism.upper()}, sasl_username={USER}" in postfix.log()


def test_a_wrong_password(postfix: Postfix, daemon: Daemon, authority: Authority) -> None:
    """A refused login is a fault of the settings: the mail waits, and the password stands nowhere."""
    daemon.set(mail_to="untrusted@example.org")
    over_tls(daemon, authority, postfix.login_ports["plain"], password="c4n4ry")
    daemon.start()
    number = curl(daemon, "-d", "not yet")["id"]
    fault = daemon.wait_for_event("relay_fault")
    assert (fault["scope"], fault["reply"][:9]) == ("configuration", "535 5.7.8")
    assert daemon.get(f"/alerts/{number}").json["state"] == "queued"
    assert "c4n4ry" not in "\n".join(daemon.lines)


def test_too_large_for_the_announced_size(postfix: Postfix, daemon: Daemon) -> None:
    """A mail over Postfix's SIZE arrives without its attachment, and says so."""
    daemon.set(mail_to="large@example.org")
    daemon.start()
    daemon.post({"subject": "core dumped", "attachments": [FILE]})
    (mail,) = postfix.mails("large", count=1)
    assert list(mail.iter_attachments()) == []
    assert "trace.log" in text_of(mail)


def test_too_large_at_the_end(postfix: Postfix, daemon: Daemon, authority: Authority) -> None:
    """A mail that Postfix finds too large only while it comes arrives without its attachment, too."""
    daemon.set(mail_to="cut@example.org")
    over_tls(daemon, authority, postfix.login_ports["plain"])
    daemon.start()
    daemon.post({"subject": "core dumped", "attachments": [FILE]})
    (mail,) = postfix.mails("cut", count=1)
    assert list(mail.iter_attachments()) == []


def test_too_many_recipients(postfix: Postfix, daemon: Daemon) -> None:
    """A list longer than smtpd_recipient_limit is split at once, and everybody gets the mail once."""
    daemon.set(mail_to="; ".join(f"{name}@example.org" for name in MANY))
    daemon.start()
    curl(daemon, "-d", "to all of you")
    daemon.wait_until_idle()
    assert [len(postfix.mails(name, count=1)) for name in MANY] == [1] * len(MANY)


def test_the_ledger_balances(postfix: Postfix, daemon: Daemon) -> None:
    """What was accepted, what is in the mailbox and what the journal says agree, for hundreds of alerts."""
    daemon.set(mail_to="ledger@example.org, unknown.4712@example.org")
    daemon.start()
    ids = daemon.post([{"subject": f"alert {number}"} for number in range(300)]).json["ids"]
    daemon.wait_until_idle()
    assert daemon.stop() == 0
    stored = copies_in(postfix.mails("ledger", count=300), recipient="ledger@example.org")
    balance = close_ledger(accepted=ids, stored=stored, journal=read_journal(daemon.data_dir))
    assert (balance.accepted, balance.delivered, balance.dead) == (600, 300, 300)
