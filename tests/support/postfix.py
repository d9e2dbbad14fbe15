"""A private Postfix, as Debian packages it: its own configuration, queue, port and mailboxes, gone at the end.

It takes mail for its mailboxes at example.org, and has no way to send any. Besides the port that anybody may
use there is one for each login mechanism, which wants TLS and a login, and announces no SIZE.
"""

import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Self

from tests.support.dovecot import MECHANISMS, Dovecot
from tests.support.ports import free_port
from tests.support.requirements import require, require_root
from tests.support.waiting import until, until_it_answers

HANG = 60  # seconds; a start or an end takes one
MAILBOX_USER = "nobody"
OWNER, PICKUP_GROUP = "postfix", "postdrop"  # mail_owner and setgid_group of postconf(5)
QUEUE = ("active", "bounce", "corrupt", "defer", "deferred", "hold", "incoming", "private", "saved", "trace")

MAIN = """
compatibility_level = 3.6
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
queue_directory = {folder}/queue
data_directory = {folder}/data
myhostname = postfix.test
mydestination =
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_relay_restrictions = reject_unauth_destination
virtual_mailbox_domains = example.org
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_mailbox_base = {folder}/mail
recipient_delimiter = +
virtual_alias_maps = texthash:{folder}/aliases
transport_maps = texthash:{folder}/transport
delay_warning_time = 1s
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_received_header = yes
message_size_limit = {size_limit}
smtpd_recipient_limit = {recipient_limit}
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {sasl}
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


SUBMISSION = """
127.0.0.1:{port} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_mechanism_filter={mechanism}
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_discard_ehlo_keywords=size
"""
SIZE_LIMIT = 200_000  # bytes
RECIPIENT_LIMIT = 3


class Postfix:
    """Runs while it is entered. `mailboxes` are local parts; the certificate and key are for STARTTLS.

    `dovecot` checks the logins at `login_ports`, one for each of its mechanisms. Mail for those who `bounce` is taken
    and comes back; that for those who are `late` is taken and stays, with a report of the delay after a second.
    """

    def __init__(
        self,
        mailboxes: Sequence[str],
        *,
        certificate: Path,
        key: Path,
        dovecot: Dovecot,
        bounce: Sequence[str] = (),
        late: Sequence[str] = (),
    ) -> None:
        require_root()
        require("postfix")
        self._mailboxes = mailboxes
        self._bounce = bounce
        self._late = late
        self._files = {"certificate": certificate, "key": key, "sasl": dovecot.socket}
        self.port = free_port()
        self.login_ports = {mechanism: free_port() for mechanism in MECHANISMS}
        # Not below pytest's own folder, which only root may enter: Postfix delivers as another user.
        self._folder = Path(tempfile.mkdtemp(prefix="mailalert-postfix-"))
        self._master: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._configure()
            self._master = subprocess.Popen([_master_program(), "-c", str(self._folder)])
            until_it_answers(self.port, why=self.log)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _configure(self) -> None:
        user = pwd.getpwnam(MAILBOX_USER)
        folder = self._folder
        folder.chmod(0o755)
        _make_folder(folder / "mail", MAILBOX_USER)
        _make_folder(folder / "data", OWNER)
        (folder / "queue" / "pid").mkdir(parents=True)
        for name in QUEUE:
            _make_folder(folder / "queue" / name, OWNER)
        _make_folder(folder / "queue" / "public", OWNER, PICKUP_GROUP)
        (folder / "mailboxes").write_text("".join(f"{name}@example.org {name}/\n" for name in self._mailboxes))
        # Known by name, so that it is taken, and then there is no such mailbox.
        aliases = [f"{name}@example.org no-such-{name}@example.org\n" for name in self._bounce]
        late = [f"{name}@example.org {name}@late.example.org\n" for name in self._late]
        (folder / "aliases").write_text("".join(aliases + late))
        (folder / "transport").write_text("late.example.org retry:4.4.1 the next server does not answer\n")
        limits = {"size_limit": SIZE_LIMIT, "recipient_limit": RECIPIENT_LIMIT}
        main = MAIN.format(folder=folder, uid=user.pw_uid, gid=user.pw_gid, **limits, **self._files)
        (folder / "main.cf").write_text(main)
        submission = [SUBMISSION.format(port=port, mechanism=name) for name, port in self.login_ports.items()]
        (folder / "master.cf").write_text(MASTER.format(port=self.port) + "".join(submission))

    def _end(self) -> None:
        if self._master is not None:
            self._master.terminate()  # it ends its whole process group
            self._master.wait(HANG)
        shutil.rmtree(self._folder)

    def log(self) -> str:
        """Return what Postfix logged."""
        log = self._folder / "log"
        return log.read_text() if log.exists() else "no log"

    @property
    def maildirs(self) -> Path:
        """Where the mailboxes lie, one folder each, for a server that reads them."""
        return self._folder / "mail"

    def mails(self, mailbox: str, *, count: int) -> list[EmailMessage]:
        """Return the mails in the mailbox once there are `count`, oldest first."""
        folder = self._folder / "mail" / mailbox / "new"
        until(lambda: folder.is_dir() and len(list(folder.iterdir())) >= count, why=self.log)
        files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


def _make_folder(folder: Path, user: str, group: str | None = None) -> None:
    folder.mkdir(mode=0o710 if group else 0o700)
    shutil.chown(folder, user, group)


def _master_program() -> str:
    asked = subprocess.run([require("postconf"), "-hd", "daemon_directory"], check=True, capture_output=True, text=True)
    return f"{asked.stdout.strip()}/master"
