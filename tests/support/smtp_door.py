"""The real daemon with its SMTP intake on, and a relay that keeps what becomes of the mails."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

from tests.support.daemon import Daemon, mail_settings
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import until


class SmtpDoorSite:
    """A daemon, and the sink that its mails end in."""

    def __init__(self, daemon: Daemon, sink: SmtpSink) -> None:
        self.daemon = daemon
        self._sink = sink

    @property
    def port(self) -> int:
        """The port of the SMTP intake."""
        return int(self.daemon.events("smtp_listening")[0]["port"])

    def mails(self, count: int) -> Sequence[EmailMessage]:
        """Return the mails that left, once there are so many."""
        until(lambda: len(self._whole()) >= count, why=lambda: self.daemon.lines[-20:])
        return self._whole()

    def _whole(self) -> list[EmailMessage]:
        """The sink writes a mail while it comes in: until then it has no end."""
        mails = self._sink.mails()
        return [mail for mail in mails if mail.is_multipart() and not any(part.defects for part in mail.walk())]


@contextmanager
def smtp_door(folder: Path, **settings: object) -> Iterator[SmtpDoorSite]:
    """Run both until the block ends; `settings` are more ones of the daemon."""
    on = {"smtp_intake__enabled": "true", "smtp_intake__port": 0}
    with SmtpSink(folder / "sink") as sink, _daemon(folder / "var", sink.port, **on, **settings) as daemon:
        yield SmtpDoorSite(daemon.start(), sink)


def _daemon(data_dir: Path, relay_port: int, **settings: object) -> Daemon:
    return Daemon(data_dir, **mail_settings(relay_port, **settings))


def envelope_of(mail: EmailMessage) -> set[str]:
    """Return to whom the relay got it."""
    return set(re.findall("<(.*?)>", " ".join(mail.get_all("X-Rcpt-Args", []))))
