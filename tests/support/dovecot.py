"""A private Dovecot that checks passwords for Postfix, as Debian packages it: gone at the end.

It listens on a Unix socket and on no port.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from tests.support.requirements import require, require_root
from tests.support.waiting import until

HANG = 60  # seconds; a start or an end takes one

MECHANISMS = ("plain", "login", "cram-md5")
CONFIG = """
protocols =
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
ssl = no
auth_mechanisms = {mechanisms}
disable_plaintext_auth = no
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service auth {{
  unix_listener {folder}/auth {{
    mode = 0666
  }}
}}
"""


class Dovecot:
    """Runs while it is entered. `socket` is where it answers; one user may log in, by any of MECHANISMS."""

    def __init__(self, *, user: str, password: str) -> None:
        require_root()
        self._program = require("dovecot")
        self._login = (user, password)
        # Not below pytest's own folder, which only root may enter: the servers run as other users.
        self._folder = Path(tempfile.mkdtemp(prefix="mailalert-dovecot-"))
        self.socket = self._folder / "auth"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        folder = self._folder
        folder.chmod(0o755)
        for name in ("run", "state"):
            (folder / name).mkdir()
        self.set_password(*self._login)
        (folder / "dovecot.conf").write_text(CONFIG.format(folder=folder, mechanisms=" ".join(MECHANISMS)))
        self._process = subprocess.Popen([self._program, "-F", "-c", str(folder / "dovecot.conf")])
        until(self.socket.exists, why=self.log)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(HANG)
        shutil.rmtree(self._folder)

    def set_password(self, user: str, password: str) -> None:
        """Let `user` log in with this password from now on."""
        (self._folder / "users").write_text(f"{user}:{{PLAIN}}{password}\n")

    def log(self) -> str:
        """Return what Dovecot logged."""
        log = self._folder / "log"
        return log.read_text() if log.exists() else "no log"
