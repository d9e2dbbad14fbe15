"""Mail through a real Postfix: what is posted by a real curl arrives in the mailbox."""

import json
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.daemon import Daemon, mail_settings
from tests.support.postfix import Postfix
from tests.support.requirements import require

MAILBOXES = ("arrives", "unicode", "one", "two", "good", "encrypted", "untrusted")


@pytest.fixture(scope="module")
def postfix(authority: Authority) -> Iterator[Postfix]:
    """A relay with a mailbox for each test, whose certificate is for 127.0.0.1."""
    certificate, key = authority.certificate_files()
    with Postfix(MAILBOXES, certificate=certificate, key=key) as running:
        yield running


@pytest.fixture
def daemon(postfix: Postfix, tmp_path: Path) -> Iterator[Daemon]:
    """A daemon with that relay, not yet started, so that a test can say to whom it mails."""
    with Daemon(tmp_path / "var", **mail_settings(postfix.port, server_name="db1")) as made:
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
