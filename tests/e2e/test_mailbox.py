"""The reading side with real servers: Postfix sends mail back, Dovecot gives it out, the daemon acts upon it."""

import json
import re
import smtplib
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.daemon import Daemon, mail_settings
from tests.support.dovecot import Dovecot
from tests.support.dovecot_mailbox import DovecotMailbox
from tests.support.postfix import Postfix
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import until

USER, PASSWORD = "alerts", "pa55-w0rd"
BUSY = 120  # seconds; what takes 30 on a quiet machine
pytestmark = pytest.mark.xdist_group("mailbox")


class Site:
    """A relay, the mailbox behind it, and a daemon that is not started yet."""

    def __init__(self, postfix: Postfix, dovecot: DovecotMailbox, daemon: Daemon, *, ca_file: Path) -> None:
        self.postfix = postfix
        self.dovecot = dovecot
        self.daemon = daemon
        self.ca_file = ca_file

    def read_by(self, protocol: str, **settings: object) -> None:
        """Start the daemon, which reads the mailbox, and wait for its first poll."""
        url = f"{protocol}://{USER}@127.0.0.1:{self.dovecot.ports[protocol]}"
        self.daemon.set(mailbox__url=url, mailbox__password=PASSWORD, mailbox__every="5s", **settings)
        if protocol.endswith("s"):
            self.daemon.set(mailbox__ca_file=self.ca_file)
        self.daemon.start()
        self.daemon.wait_for_event("mailbox_first_poll")

    def post(self, subject: str) -> str:
        """Post an alert and return its id once its mail has left."""
        number = str(self.daemon.post({"subject": subject}).json["id"])
        self.daemon.wait_until_idle()
        return number

    def until_alert(self, number: str, holds: Callable[[Any], bool]) -> Any:
        """Return the alert once it is as told."""
        until(lambda: holds(self.alert(number)), why=self.what_happened, longest=BUSY)
        return self.alert(number)

    def what_happened(self) -> str:
        """Return the last lines of the daemon's log, and Postfix's."""
        return "\n".join(self.daemon.lines[-30:]) + self.postfix.log()

    def alert(self, number: str) -> Any:
        """Return what the daemon tells of the alert."""
        return self.daemon.get(f"/alerts/{number}").json

    def received(self, name: str, holds: Callable[[EmailMessage], bool]) -> EmailMessage:
        """Return the first such mail of a person's once it is there, behind those of other tests."""
        found: list[EmailMessage] = []

        def is_there() -> bool:
            found.extend(filter(holds, self.postfix.mails(name, count=1)))
            return bool(found)

        until(is_there, why=self.postfix.log)
        return found[0]

    def send(self, mail: EmailMessage) -> None:
        """Have a person's mail come."""
        with smtplib.SMTP("127.0.0.1", self.postfix.port) as client:
            client.send_message(mail)


@pytest.fixture(scope="module")
def postfix(authority: Authority) -> Iterator[Postfix]:
    """A relay that gives back what is for `gone`, and keeps what is for `late`."""
    certificate, key = authority.certificate_files()
    with (
        Dovecot(user="tim", password="pa55") as logins,
        Postfix(
            (USER, "ops", "good"), certificate=certificate, key=key, dovecot=logins, bounce=("gone",), late=("late",)
        ) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def dovecot(postfix: Postfix, authority: Authority) -> Iterator[DovecotMailbox]:
    """The server of the mailbox into which Postfix delivers."""
    certificate, key = authority.certificate_files()
    with DovecotMailbox({USER: PASSWORD}, certificate=certificate, key=key, maildirs=postfix.maildirs) as running:
        yield running


@pytest.fixture
def site(postfix: Postfix, dovecot: DovecotMailbox, authority: Authority, tmp_path: Path) -> Iterator[Site]:
    """A daemon with both, and an empty mailbox."""
    dovecot.clear(USER)
    settings = mail_settings(postfix.port, server_name="db1", mail_from=f"{USER}@example.org")
    with Daemon(tmp_path / "var", **settings) as daemon:
        yield Site(postfix, dovecot, daemon, ca_file=authority.bundle)


@pytest.mark.parametrize("protocol", ["pop3", "imap"])
def test_a_mail_to_an_unknown_user_shows_as_bounced(site: Site, protocol: str) -> None:
    """With the server's words; it is a dead letter, and the report is gone from the mailbox."""
    site.read_by(protocol, mail_to="gone@example.org; good@example.org")
    number = site.post("disk full")
    alert = site.until_alert(number, lambda alert: alert["state"] == "partly sent")
    gone, good = alert["mails"][0]["recipients"]
    assert (gone["state"], good["state"]) == ("bounced", "sent")
    assert "mailbox does not exist" in gone["text"]
    assert gone["reply"]
    (letter,) = site.daemon.get("/dead-letters").json["dead_letters"]
    assert letter["alert_id"] == number
    until(lambda: site.dovecot.count(USER) == 0)


def test_a_mail_that_is_late_shows_as_delayed(site: Site) -> None:
    """And not as failed: it may still arrive."""
    site.read_by("imap", mail_to="late@example.org")
    number = site.post("disk full")
    alert = site.until_alert(number, lambda alert: alert["mails"][0]["recipients"][0]["state"] == "delayed")
    assert alert["state"] == "sent"
    assert "next mail server does not answer" in alert["mails"][0]["recipients"][0]["text"]


def test_a_person_acknowledges_by_answering(site: Site) -> None:
    """From the mail in their mailbox to the alert, and back to a short confirmation."""
    site.read_by("imap", mail_to="ops@example.org")
    number = site.post("disk full on db1")
    alert_mail = site.received("ops", lambda mail: "disk full on db1" in mail["Subject"])
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Subject"] = "ops@example.org", alert_mail["From"], "Re: disk full"
    answer["Message-ID"], answer["In-Reply-To"] = "<answer-1@mail.example.org>", alert_mail["Message-ID"]
    answer.set_content("ack 2h\n\nOn Tuesday Mail Alert System wrote:\n> disk full\n")
    site.send(answer)
    alert = site.until_alert(number, lambda alert: alert["acknowledged"] is not None)
    assert (alert["acknowledged"]["who"], alert["acknowledged"]["how"]) == ("ops@example.org", "reply")
    assert alert["acknowledged"]["until"]
    assert site.received("ops", lambda mail: mail["In-Reply-To"] == "<answer-1@mail.example.org>")


def test_a_sender_for_each_recipient_tells_who_bounced(site: Site) -> None:
    """VERP: the report comes to an address that names the mail and the recipient."""
    site.read_by("imap", mail_to="gone@example.org; good@example.org", mailbox__verp="true")
    number = site.post("disk full")
    alert = site.until_alert(number, lambda alert: alert["state"] == "partly sent")
    assert [recipient["state"] for recipient in alert["mails"][0]["recipients"]] == ["bounced", "sent"]
    bounce = site.daemon.wait_for_event("mail_bounced")
    assert bounce["recipient"] == "gone@example.org"
    sender = re.compile(rf"<{USER}\+[0-9A-Z]{{13}}\.[0-9a-f]{{20}}\.1@example\.org>")
    assert site.received("good", lambda mail: sender.fullmatch(mail["Return-Path"]) is not None)


def test_answers_are_told_by_the_address_that_they_come_to(site: Site) -> None:
    """Where a relay replaces our Message-ID, Reply-To still leads back to the alert."""
    site.read_by("pop3", mail_to="ops@example.org", mailbox__reply_address=f"{USER}@example.org")
    number = site.post("disk full on db2")
    alert_mail = site.received("ops", lambda mail: "disk full on db2" in mail["Subject"])
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Subject"] = "ops@example.org", alert_mail["Reply-To"], "Re: disk full"
    answer["Message-ID"] = "<answer-2@mail.example.org>"
    answer.set_content("ok")
    site.send(answer)
    alert = site.until_alert(number, lambda alert: alert["acknowledged"] is not None)
    assert alert["acknowledged"] | {"at": ""} == {"who": "ops@example.org", "how": "reply", "until": None, "at": ""}


def test_a_relay_that_loses_mail_is_told_of_over_another_one(site: Site, tmp_path: Path) -> None:
    """The alarm would be lost as well over the first one, which takes every mail and delivers none."""
    with SmtpSink(tmp_path / "sink") as black_hole:
        relays = [
            {"name": "loses", "url": f"smtp://127.0.0.1:{black_hole.port}"},
            {"name": "delivers", "url": f"smtp://127.0.0.1:{site.postfix.port}", "priority": 2},
        ]
        site.daemon.without("relay")
        site.daemon.set(relays=json.dumps(relays), alarm__to="ops@example.org")
        site.read_by("imap", mail_to="good@example.org", probe__every="10m", probe__alarm_after="30s")
        site.daemon.wait_for_event("probe_arrived")
        until(lambda: bool(site.daemon.events("alarm")), longest=BUSY)
    (alarm,) = site.daemon.events("alarm")
    assert alarm["facts"]["relay"] == "loses"
    sent = site.daemon.wait_for_event("alarm_sent_directly")
    assert sent["relay"] == "delivers"
    assert site.received("ops", lambda mail: "does not arrive" in mail["Subject"])
    assert site.daemon.get("/healthz").json["status"] == "degraded"


def test_other_mail_becomes_an_alert_if_it_may(site: Site) -> None:
    """By the rules of the SMTP intake."""
    site.read_by("pop3", mail_to="good@example.org", mailbox__intake="true", mailbox__after="delete")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ups@example.org", f"{USER}@example.org", "UPS on battery"
    mail.set_content("12 minutes left")
    site.send(mail)
    site.daemon.wait_for_event("alert_accepted")
    (alert,) = site.daemon.get("/alerts").json["alerts"]
    assert (alert["subject"], alert["source"]) == ("UPS on battery", "ups@example.org")
    until(lambda: site.dovecot.count(USER) == 0)


@pytest.mark.parametrize("protocol", ["pop3", "imap"])
def test_a_probe_measures_the_round_trip(site: Site, protocol: str) -> None:
    """It is shown by health and metrics, and the probe is gone from the mailbox."""
    site.read_by(protocol, mail_to="good@example.org", probe__every="1m")
    site.daemon.wait_for_event("probe_arrived")
    (probe,) = site.daemon.get("/healthz").json["probes"]
    assert 0 < probe["round_trip_seconds"] < 30
    metrics = site.daemon.get("/metrics").body.decode()
    assert re.search(r"^mailalert_probe_round_trip_seconds\{relay=\"127.0.0.1\"\} [0-9.]+$", metrics, re.MULTILINE)
    until(lambda: site.dovecot.count(USER) == 0)


@pytest.mark.parametrize("protocol", ["pop3", "pop3s", "imap", "imaps"])
def test_a_kill_in_the_middle_reads_nothing_twice_and_loses_nothing(site: Site, protocol: str) -> None:
    """A thousand mails become a thousand alerts, whatever moment the daemon is killed at."""
    site.read_by(protocol, mail_to="good@example.org", mailbox__intake="true", mailbox__after="delete")
    subjects = {f"mail {number:04}" for number in range(1000)}
    site.dovecot.put(USER, *(f"From: a@example.org\nSubject: {subject}\n\ntext\n".encode() for subject in subjects))
    for kills in range(4):
        until(lambda: len(site.daemon.events("mail_read")) > 50, why=lambda: "\n".join(site.daemon.lines[-5:]))
        site.daemon.kill()
        time.sleep(0.1 * kills)
        site.daemon.start()
    until(lambda: _count(site.daemon) >= len(subjects), longest=BUSY)
    assert sorted(_subjects(site.daemon)) == sorted(subjects)
    until(lambda: site.dovecot.count(USER) == 0)


def _count(daemon: Daemon) -> int:
    return len(_subjects(daemon))


def _subjects(daemon: Daemon) -> list[str]:
    """Return the subjects of all alerts."""
    found: list[str] = []
    cursor = ""
    while True:
        page = daemon.get(f"/alerts?limit=500{cursor}").json
        found += [alert["subject"] for alert in page["alerts"]]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"
