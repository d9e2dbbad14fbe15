"""Icinga 2 that watches one backup, and posts what it has to say of it with curl."""

import grp
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.own_server import running
from tests.support.requirements import require

# Where Icinga keeps what it writes; by default all over the system.
FOLDERS = {"DataDir": "data", "CacheDir": "cache", "InitRunDir": "run", "LogDir": "logs", "SpoolDir": "spool"}
# Named as in Icinga's own notification scripts. The address is a macro of the host, the rest are objects.
FIELDS = {
    "notificationtype": "$notification.type$",
    "hostname": "$host.name$",
    "hostdisplayname": "$host.display_name$",
    "hostaddress": "$address$",
    "servicename": "$service.name$",
    "servicedisplayname": "$service.display_name$",
    "servicestate": "$service.state$",
    "lastservicestate": "$service.last_state$",
    "serviceoutput": "$service.output$",
    "longdatetime": "$icinga.long_date_time$",
    "author": "$notification.author$",
    "comment": "$notification.comment$",
    "useremail": "$user.email$",
}
CHECK = """\
[ -e done ] && { echo "BACKUP OK - done"; exit 0; }
echo "BACKUP CRITICAL - too old & \\"empty\\""
exit 2
"""
OBJECTS = """
object CheckCommand "backup" {{ command = [ "/bin/sh", "{folder}/check" ] }}
object Host "db1" {{
  display_name = "DB 1", address = "192.0.2.5", check_command = "backup", enable_active_checks = false
}}
object Service "backup" {{
  host_name = "db1", display_name = "Backup", check_command = "backup"
  max_check_attempts = 1, check_interval = 1s, retry_interval = 1s
}}
object User "ops" {{ email = "ops@example.org" }}
object NotificationCommand "curl" {{ command = [ {command} ] }}
object Notification "mail" {{
  host_name = "db1", service_name = "backup", command = "curl", users = [ "ops" ], interval = 0
}}
object CheckerComponent "checker" {{ }}
object NotificationComponent "notification" {{ }}
"""


@contextmanager
def icinga(folder: Path, url: str) -> Iterator[Path]:
    """Run Icinga, whose backup has failed; yields the file whose presence tells that it is done."""
    program = require("icinga2")
    folder.mkdir()
    for name in FOLDERS.values():
        (folder / name).mkdir()
    (folder / "check").write_text(f"cd {folder}\n{CHECK}")
    words = [require("curl"), "-fsS", url]
    for name, macro in FIELDS.items():
        words += ["--data-urlencode", f"{name}={macro}"]
    command = ", ".join(f'"{word}"' for word in words)
    (folder / "icinga2.conf").write_text(OBJECTS.format(folder=folder, command=command))
    constants = {name: str(folder / path) for name, path in FOLDERS.items()}
    constants |= {"RunAsUser": pwd.getpwuid(os.geteuid()).pw_name, "RunAsGroup": grp.getgrgid(os.getegid()).gr_name}
    defined = [f"-D{name}={value}" for name, value in constants.items()]
    with running([program, "daemon", "-c", folder / "icinga2.conf", *defined], folder):
        yield folder / "done"
