"""A private Dovecot that serves mailboxes by IMAP and POP3, as Debian packages it: gone at the end.

Mail lies in Maildirs, one folder of `maildirs` for each local part, owned by MAIL_USER: Postfix's virtual delivery
agent may write into the same ones.
"""

import contextlib
import grp
import os
import poplib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Self

from imapclient import imap_utf7

from tests.support.ports import free_port
from tests.support.requirements import require, require_root
from tests.support.waiting import until, until_it_answers

HANG = 60  # seconds; a start or an end takes one
MAIL_USER, MAIL_GROUP = "nobody", "nogroup"
INBOX = "INBOX"
FIRST_MAIL = 1_600_000_000  # the time in the names of mails that are put: before any that is delivered

CONFIG = """
protocols = imap pop3
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
first_valid_uid = 1
mail_location = maildir:{maildirs}/%n
mail_max_userip_connections = 100
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
auth_mechanisms = plain login
disable_plaintext_auth = no
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/home allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service anvil {{
  chroot =
  # No penalty: after a wrong password Dovecot lets every login from the same address wait for seconds.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
"""


class DovecotMailbox:
    """Runs while it is entered. `users` are local parts with their passwords.

    `ports` has one for each of imap, imaps, pop3 and pop3s, on loopback; imap and pop3 offer STARTTLS and STLS.
    `settings` are Dovecot's own, such as pop3_uidl_format, pop3_lock_session or imap_capability. `maildirs` is a
    folder that is there already, such as Postfix's.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        *,
        certificate: Path,
        key: Path,
        settings: Mapping[str, str] | None = None,
        maildirs: Path | None = None,
    ) -> None:
        require_root()
        self._program = require("dovecot")
        self._users = dict(users)
        self._files = {"certificate": certificate, "key": key}
        self._settings = dict(settings or {})
        # Not below pytest's own folder, which only root may enter: the servers run as other users.
        self._folder = Path(tempfile.mkdtemp(prefix="mailalert-dovecot-"))
        self.maildirs = maildirs or self._folder / "mail"
        self.ports = {name: free_port() for name in ("imap", "imaps", "pop3", "pop3s")}
        self._process: subprocess.Popen[bytes] | None = None
        self._mails = 0

    def __enter__(self) -> Self:
        self._folder.chmod(0o755)
        for name in ("run", "state"):
            (self._folder / name).mkdir()
        for folder in (self.maildirs, self._folder / "home"):
            _make_folder(folder)
        self._configure()
        try:
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _configure(self) -> None:
        places = {"folder": self._folder, "maildirs": self.maildirs, **self._files, **self.ports}
        extra = "".join(f"{name} = {value}\n" for name, value in self._settings.items())
        (self._folder / "users").write_text("".join(f"{name}:{word}\n" for name, word in self._users.items()))
        (self._folder / "dovecot.conf").write_text(CONFIG.format(**places) + extra)

    def start(self) -> None:
        """Start it, at first or after kill()."""
        # A session of its own: kill() has to meet the processes that hold the clients as well.
        self._process = subprocess.Popen(
            [self._program, "-F", "-c", str(self._folder / "dovecot.conf")], start_new_session=True
        )
        for port in self.ports.values():
            until_it_answers(port, why=self.log)

    def kill(self) -> None:
        """End it and every session in it at once, as a crash of the machine would. In order it takes 6 s."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(HANG)
        self._process = None

    def _end(self) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder)

    def set_options(self, **settings: str) -> None:
        """Change Dovecot's settings, such as pop3_lock_session="yes". New sessions have them."""
        self._settings |= settings
        self._configure()
        self.kill()
        self.start()

    def deliver_to(self, user: str, folder: str = INBOX) -> Path:
        """Return the Maildir of the mailbox, made if it is not there: where a delivery agent writes."""
        inbox = self.maildirs / user
        maildir = inbox if folder == INBOX else inbox / f".{imap_utf7.encode(folder).decode().replace('/', '.')}"
        for path in (inbox, maildir, *(maildir / name for name in ("cur", "new", "tmp"))):
            _make_folder(path)
        return maildir

    def put(self, user: str, *mails: bytes, folder: str = INBOX) -> None:
        """Have these mails come, in this order."""
        self.put_many(user, mails, folder=folder)

    def put_many(self, user: str, mails: Iterable[bytes], *, folder: str = INBOX) -> None:
        """Have thousands of mails come: it writes the files of the Maildir."""
        maildir = str(self.deliver_to(user, folder))
        owner, group = pwd.getpwnam(MAIL_USER).pw_uid, grp.getgrnam(MAIL_GROUP).gr_gid
        for mail in mails:
            self._mails += 1
            name = f"{FIRST_MAIL + self._mails}.M{self._mails}P1.dovecot.test"
            # Plain system calls: pathlib and shutil take four times as long for thousands of files.
            file = os.open(f"{maildir}/tmp/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(file, mail)
            os.fchown(file, owner, group)
            os.close(file)
            os.rename(f"{maildir}/tmp/{name}", f"{maildir}/new/{name}")  # noqa: PTH104 - likewise

    def mails(self, user: str, folder: str = INBOX) -> list[bytes]:
        """Return what is in the mailbox, the oldest first."""
        return [file.read_bytes() for file in self._files_of(user, folder)]

    def count(self, user: str) -> int:
        """Return how many mails the inbox has, also while somebody deletes them."""
        return len(self._files_of(user, INBOX))

    def flags(self, user: str, folder: str = INBOX) -> list[str]:
        """Return the Maildir flags of each mail, the oldest first: S is seen, T is marked as deleted."""
        return [file.name.partition(":2,")[2] for file in self._files_of(user, folder)]

    def _files_of(self, user: str, folder: str) -> list[Path]:
        maildir = self.deliver_to(user, folder)
        files = [*(maildir / "cur").iterdir(), *(maildir / "new").iterdir()]
        return sorted(files, key=_came_at)

    def clear(self, user: str) -> None:
        """Leave no mail and no folder; the uids begin anew under another UIDVALIDITY. No session may be open."""
        self._until_alone(user)
        shutil.rmtree(self.maildirs / user, ignore_errors=True)

    def reset_uidvalidity(self, user: str, folder: str = INBOX) -> None:
        """Give the mailbox another UIDVALIDITY, as after a restore. No session may be open."""
        self._until_alone(user)
        maildir = self.deliver_to(user, folder)
        for file in maildir.glob("dovecot*"):
            if not file.name.startswith("dovecot-uidvalidity"):  # holds the last one, so that the next is another
                file.unlink()

    def _until_alone(self, user: str) -> None:
        """Wait for the end of sessions that were cut: Dovecot may still write into the mailbox."""
        who = [require("doveadm"), "-c", str(self._folder / "dovecot.conf"), "who", user]
        # One line is the head of the table.
        until(lambda: len(subprocess.run(who, check=True, capture_output=True).stdout.splitlines()) < 2, why=self.log)

    @contextlib.contextmanager
    def locked(self, user: str) -> Iterator[None]:
        """Hold the mailbox in a POP3 session of another client; with pop3_lock_session=yes it keeps others out.

        Dovecot lets them wait for 10 s before it says [IN-USE].
        """
        other = poplib.POP3("127.0.0.1", self.ports["pop3"], timeout=HANG)
        try:
            other.user(user)
            other.pass_(self._users[user])
            yield
        finally:
            other.quit()

    def log(self) -> str:
        """Return what Dovecot logged."""
        log = self._folder / "log"
        return log.read_text() if log.exists() else "no log"

    def uidvalidity(self, user: str) -> int:
        """Return the UIDVALIDITY of the inbox, once a session has been open."""
        first = (self.maildirs / user / "dovecot-uidlist").read_text().partition("\n")[0]
        found = re.search(r"\bV(\d+)", first)
        assert found is not None, first
        return int(found[1])


def _came_at(file: Path) -> tuple[int, int]:
    seconds, _, rest = file.name.partition(".")
    microseconds = re.search(r"M(\d+)", rest)
    return int(seconds), int(microseconds[1]) if microseconds else 0


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        shutil.chown(folder, MAIL_USER, MAIL_GROUP)
