"""`mailalert mailbox` on a real mailbox: what its tests share."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from tests.support.dovecot_mailbox import DovecotMailbox
from tests.support.mailalert_command import environment, mailalert
from tests.support.mailalert_terminal import Shown, mailalert_at_terminal

USER = "alerts"
PASSWORD = "canary-8f3a"


def mail(subject: str, *, day: int = 1, text: str = "text", sender: str = "Kim <kim@example.com>") -> bytes:
    """Return a mail of that day in March."""
    head = (f"From: {sender}", "To: ops@example.org", f"Subject: {subject}", f"Date: {day} Mar 2026 12:00:00 +0000")
    return "\r\n".join([*head, "", text, ""]).encode()


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The mailbox of USER on `dovecot`, reached by `scheme`; commands run in `home`."""

    dovecot: DovecotMailbox
    scheme: str
    home: Path

    @property
    def url(self) -> str:
        """What names it."""
        return f"{self.scheme}://{USER}@127.0.0.1:{self.dovecot.ports[self.scheme]}"

    @property
    def where(self) -> list[str]:
        """The options that name it."""
        file = self.home / "password"
        file.write_text(f"{PASSWORD}\n")
        return ["--mailbox", self.url, "--password-file", str(file)]

    def put(self, *mails: bytes) -> None:
        """Let mails come."""
        self.dovecot.put(USER, *mails)

    @property
    def subjects(self) -> list[str]:
        """Return the subjects of what is in it, the oldest first."""
        return [data.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode() for data in self.dovecot.mails(USER)]

    def run(self, *arguments: str) -> CompletedProcess[bytes]:
        """Run the command on it."""
        return mailalert("mailbox", *arguments, *self.where, home=self.home)

    def lines(self, *arguments: str) -> list[list[str]]:
        """Return the fields of each line that the command prints; it ends well."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.decode().splitlines()]

    def at_terminal(self, *arguments: str, answer: tuple[str, str] | None = None) -> Shown:
        """Run the command on it at a terminal, and answer its question."""
        return mailalert_at_terminal("mailbox", *arguments, *self.where, home=self.home, answer=answer)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run the command on it beside the block, at whose end it is gone."""
        with subprocess.Popen(
            [sys.executable, "-m", "app", "mailbox", *arguments, *self.where],
            cwd=self.home,
            env=environment(self.home, {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()
