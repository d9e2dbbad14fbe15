"""Mail that real programs send to the real daemon becomes alerts, and mails."""

import signal
import smtplib
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.daemon import Daemon, mail_settings
from tests.support.requirements import require, require_root
from tests.support.smtp_door import SmtpDoorSite, envelope_of, smtp_door

HANG = 30  # seconds
TOKEN = "a-token-of-these-tests"
RECEIVERS = '[{"name": "dba", "to": "dba@example.org"}]'
# Bind mounts in a mount namespace of its own; exec keeps the process id. An empty /run makes cron believe that the
# machine has just started, so that it runs @reboot jobs at once.
CRON = (
    'mount -t tmpfs none /run && mount --bind "$1" /etc/cron.d && mount --bind "$2" /usr/sbin/sendmail'
    ' && mount --bind /dev/null /etc/crontab && mount -t tmpfs none /var/spool/cron && exec "$3" -f'
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmtpDoorSite]:
    """A daemon that takes mail on loopback, with a receiver besides the default one."""
    with smtp_door(tmp_path, receivers=RECEIVERS) as running:
        yield running
        assert running.daemon.events("smtp_session_failed") == []


def run(*command: str, given: str = "") -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=HANG, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def msmtp_settings(folder: Path, port: int, *more: str) -> Path:
    file = folder / "msmtprc"
    lines = ["account default", "host localhost", f"port {port}", "from cron@db1.example.org", *more]
    file.write_text("\n".join(lines) + "\n")
    file.chmod(0o600)
    return file


def test_swaks_sends_a_mail_with_a_file(site: SmtpDoorSite, tmp_path: Path) -> None:
    """Its text and its file arrive; the recipient has chosen who gets it, and how bad it is."""
    log = tmp_path / "backup.log"
    log.write_text("no space left\n")
    server = ("--server", "127.0.0.1", "--port", str(site.port))
    words = ("--header", "Subject: backup failed", "--body", "on db1", "--attach", f"@{log}")
    said = run(require("swaks"), *server, "--from", "backup@db1.example.org", "--to", "dba+critical@alerts", *words)
    (mail,) = site.mails(1)
    assert (envelope_of(mail), mail["Importance"]) == ({"dba@example.org"}, "high")
    assert "backup failed" in mail["Subject"]
    assert "on db1" in text_of(mail)
    assert [part.get_filename() for part in mail.iter_attachments()] == ["backup.log"]
    alert = said.partition("250 2.0.0 Accepted as ")[2].split()[0]
    assert site.daemon.get(f"/alerts/{alert}").json["source"] == "backup@db1.example.org"


def test_smtplib_sends_a_mail(site: SmtpDoorSite) -> None:
    """One mail to several recipients is one alert: to those who are receivers, and to the default for the others."""
    with smtplib.SMTP("127.0.0.1", site.port, timeout=HANG) as client:
        client.sendmail("ups@rack1", ["dba@alerts", "root@rack1"], "Subject: on battery\r\n\r\n12 minutes left\r\n")
    mails = site.mails(2)
    assert envelope_of(mails[0]) | envelope_of(mails[1]) == {"dba@example.org", "ops@example.org"}
    assert all("12 minutes left" in text_of(mail) for mail in mails)
    assert len(site.daemon.get("/alerts").json["alerts"]) == 1


def test_msmtp_sends_as_sendmail_would(site: SmtpDoorSite, tmp_path: Path) -> None:
    """What a program pipes into `sendmail -t` arrives."""
    file = msmtp_settings(tmp_path, site.port)
    run(require("msmtp"), "-C", str(file), "-t", given="To: root\nSubject: RAID degraded\n\nmd0: 1 of 2 disks\n")
    (mail,) = site.mails(1)
    assert "RAID degraded" in mail["Subject"]
    assert "md0: 1 of 2 disks" in text_of(mail)


def test_cron_mails_the_output_of_a_job(site: SmtpDoorSite, tmp_path: Path) -> None:
    """Debian's cron with MAILTO, through msmtp as its sendmail: the job's words arrive."""
    require_root()
    cron, unshare = require("cron"), require("unshare")
    jobs = tmp_path / "cron.d"
    jobs.mkdir()
    (jobs / "backup").write_text("MAILTO=dba+error@alerts\n@reboot root echo the backup found no space left\n")
    sendmail = tmp_path / "sendmail"
    sendmail.write_text(f'#!/bin/sh\nexec {require("msmtp")} -C {msmtp_settings(tmp_path, site.port)} "$@"\n')
    sendmail.chmod(0o755)
    command = [unshare, "--mount", "sh", "-c", CRON, "sh", str(jobs), str(sendmail), cron]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            (mail,) = site.mails(1)
        finally:
            running.terminate()
    assert envelope_of(mail) == {"dba@example.org"}
    assert "Cron <root@" in mail["Subject"]
    assert "the backup found no space left" in text_of(mail)


def test_an_alert_that_comes_back_is_stopped(site: SmtpDoorSite) -> None:
    """A mail of ours that is delivered to our own door is refused, and makes no mail."""
    site.daemon.post({"subject": "disk full"})
    (mail,) = site.mails(1)
    with smtplib.SMTP("127.0.0.1", site.port, timeout=HANG) as client, pytest.raises(smtplib.SMTPDataError) as refused:
        client.send_message(mail, "ops@example.org", ["root@db1"])
    assert refused.value.smtp_code == 554
    assert len(site.daemon.get("/alerts").json["alerts"]) == 1


def test_a_mail_that_comes_twice_is_one_alert(site: SmtpDoorSite) -> None:
    """Also across a restart: a client that did not hear our 250 sends it again."""
    mail = "Message-ID: <1@db1>\r\nDate: Mon, 23 Nov 2026 06:00:00 +0000\r\nSubject: backup failed\r\n\r\n"
    for _ in range(2):
        with smtplib.SMTP("127.0.0.1", site.port, timeout=HANG) as client:
            client.sendmail("root@db1", ["root@db1"], mail)
        site.daemon.kill()
        site.daemon.start()
    assert len(site.daemon.get("/alerts").json["alerts"]) == 1


def test_a_login_over_tls_sends(tmp_path: Path, authority: Authority) -> None:
    """msmtp with STARTTLS and a token as the password; without the login nothing is taken."""
    certificate, key = authority.certificate_files()
    settings = {
        "http__token": TOKEN,
        "smtp_intake__require_auth": "true",
        "smtp_intake__tls_certificate": certificate,
        "smtp_intake__tls_key": key,
    }
    with smtp_door(tmp_path, **settings) as site:
        tls = ("tls on", "tls_starttls on", f"tls_trust_file {authority.bundle}", "auth plain", "user cron")
        file = msmtp_settings(tmp_path, site.port, *tls, f"password {TOKEN}")
        run(require("msmtp"), "-C", str(file), "root", given="Subject: RAID degraded\n\n")
        with smtplib.SMTP("localhost", site.port, timeout=HANG) as client:
            client.ehlo()
            assert client.mail("a@example.org")[0] == 530
        (mail,) = site.mails(1)
        assert "RAID degraded" in mail["Subject"]
        assert TOKEN not in "".join(site.daemon.lines)


def test_a_stop_ends_sessions_with_421(site: SmtpDoorSite) -> None:
    """A client that is connected learns that it may try again later, and the daemon ends cleanly."""
    with smtplib.SMTP("127.0.0.1", site.port, timeout=HANG) as client:
        client.ehlo()
        site.daemon.signal(signal.SIGTERM)
        assert client.getreply()[0] == 421
    assert site.daemon.wait() == 0


def test_a_port_in_use_ends_the_start(site: SmtpDoorSite, tmp_path: Path) -> None:
    """75 and a remedy: whoever holds the port may let go of it."""
    taken = {"smtp_intake__enabled": "true", "smtp_intake__port": site.port}
    with Daemon(tmp_path / "second", **mail_settings(1, **taken)) as second:
        second.spawn()
        assert second.wait() == 75
        assert "smtp_intake.port" in "".join(second.lines)


def test_an_open_door_ends_the_start(tmp_path: Path) -> None:
    """78: nobody turns the daemon into an open relay of alerts by mistake."""
    with Daemon(
        tmp_path / "var", **mail_settings(1, smtp_intake__enabled="true", smtp_intake__host="0.0.0.0")
    ) as daemon:
        daemon.spawn()
        assert daemon.wait() == 78
        assert "smtp_intake.allow_from" in "".join(daemon.lines)
