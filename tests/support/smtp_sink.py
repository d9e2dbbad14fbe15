"""Postfix's smtp-sink: a server that takes every mail, or none, at the commands that its options name."""

import os
import shutil
import subprocess
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Self

from tests.support.ports import free_port
from tests.support.requirements import require
from tests.support.waiting import until_it_answers

HANG = 30  # seconds
UNPRIVILEGED = "nobody"  # smtp-sink(1): as root it wants another user to be
BACKLOG = "128"


class SmtpSink:
    """Runs while it is entered, with the options of smtp-sink(1). The mails it took stay in `folder`."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self._program = require("smtp-sink")
        self._folder = folder
        self._options = options
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(exist_ok=True)
        user = []
        if os.geteuid() == 0:
            shutil.chown(self._folder, UNPRIVILEGED)
            user = ["-u", UNPRIVILEGED]
        # A template without a path: the sink cannot enter the folders above its own.
        command = [self._program, *user, "-d", "mail.", *self._options, f"127.0.0.1:{self.port}", BACKLOG]
        self._process = subprocess.Popen(command, cwd=self._folder, stderr=subprocess.DEVNULL)
        until_it_answers(self.port)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(HANG)

    def mails(self) -> list[EmailMessage]:
        """Return the mails that it took, X-Mail-Args and X-Rcpt-Args for the envelope."""
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in self._folder.iterdir()]
