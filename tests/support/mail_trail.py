"""Alerts followed through a running daemon: from the answer to a post to the mail that a relay got of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from tests.support.daemon import Daemon
from tests.support.mails import part_of, read_mail
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.waiting import until


@dataclass(frozen=True)
class Mailed:
    """One alert as `GET /alerts/{id}` shows it, and its mail, which is sound in every part."""

    alert: Mapping[str, Any]
    mail: EmailMessage

    @property
    def text(self) -> str:
        """The plain part of the mail."""
        return part_of(self.mail, "plain")

    @property
    def files(self) -> dict[str, bytes]:
        """What is attached to the mail, by its names."""
        data = {part.get_filename() or "": part.get_payload(decode=True) for part in self.mail.iter_attachments()}
        return {name: octets for name, octets in data.items() if isinstance(octets, bytes)}

    def says(self, name: str) -> str:
        """Return what follows `Name:` below the content of the alert, "" if there is no such line."""
        below = self.text.removeprefix(self.alert["content"].rstrip() or self.alert["subject"])
        lines = (line.partition(":") for line in below.splitlines())
        return next((value.strip() for found, _, value in lines if found == name), "")


class MailTrail:
    """Finds the alerts of an answer, and their mails. `headers` open the daemon where it asks for a token."""

    def __init__(self, daemon: Daemon, relay: ScriptedSmtp, **headers: str) -> None:
        self._daemon = daemon
        self._relay = relay
        self._headers = headers

    def follow(self, answer: Mapping[str, Any]) -> list[Mailed]:
        """Return what became of each alert that an answer to a post names, once its mail has left."""
        names = answer["ids"] if "ids" in answer else [answer["id"]]
        return [self._mailed(name) for name in names]

    def follow_one(self, answer: Mapping[str, Any]) -> Mailed:
        """Return what became of the only alert."""
        (mailed,) = self.follow(answer)
        return mailed

    def _mailed(self, name: str) -> Mailed:
        alert = self._daemon.get(f"/alerts/{name}", **self._headers).json
        (envelope,) = alert["mails"]
        mark = f"\r\nX-MailAlert-Id: {envelope['id']}.".encode()
        found: list[bytes] = []

        def arrived() -> bool:
            found[:] = [mail.data for mail in reversed(self._relay.mails) if mark in mail.data]
            return bool(found)

        until(arrived, why=lambda: self._daemon.lines[-20:])
        return Mailed(alert, read_mail(found[0]))
