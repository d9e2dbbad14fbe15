"""The client's spool: files that are whole or not there, in a directory that nobody tampers with."""

import os
import stat
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli import spool as spool_module
from app.cli.held_file import SpoolError
from app.cli.spool import Spool, open_spool, read_spooled, usable_own_spool, usable_spool
from app.domain.spooled import MAX_FILE, BrokenSpoolFile, SpooledAlert
from tests.support.clock import NOW

ALERT = SpooledAlert(key="0" * 32, body=b'{"subject":"s"}', made_at=NOW)
LOCAL, REMOTE = "http://127.0.0.1:8825", "https://alerts.example.org"


def test_an_alert_is_put_and_read(tmp_path: Path) -> None:
    """The folder is made for this user alone, and so is the file."""
    spool = open_spool(tmp_path / "a" / "spool")
    file = spool.put(ALERT)
    assert read_spooled(file) == ALERT
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(spool.folder.stat().st_mode)) == (0o600, 0o700)
    assert list(spool.folder.iterdir()) == [file]


def test_the_shared_spool_gives_its_group_the_file(tmp_path: Path) -> None:
    """The daemon reads by the group that a sticky directory with the setgid bit gives."""
    tmp_path.chmod(0o3733)
    spool = open_spool(tmp_path)
    assert spool.is_shared
    assert stat.S_IMODE(spool.put(ALERT).stat().st_mode) == 0o640


def test_files_come_oldest_first(tmp_path: Path) -> None:
    """Drafts, and what was put aside, are none."""
    for name in ("2.alert", "1.alert", ".3.alert", "0.alert.refused", "x"):
        (tmp_path / name).touch()
    assert [file.name for file in Spool(tmp_path, is_shared=False).files()] == ["1.alert", "2.alert"]


def test_no_folder_is_an_empty_spool(tmp_path: Path) -> None:
    """Looking makes nothing."""
    assert open_spool(tmp_path / "spool").files() == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """Without the sticky bit they could take alerts out."""
    tmp_path.chmod(0o777)
    with pytest.raises(SpoolError, match="chmod 700"):
        open_spool(tmp_path)


def test_a_link_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    """Alerts do not go where somebody else points."""
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(SpoolError, match="is no directory"):
        open_spool(tmp_path / "link")


def test_the_spool_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that is gone for ever does not fill the disk."""
    monkeypatch.setattr(spool_module, "MAX_FILES", 1)
    spool = Spool(tmp_path, is_shared=False)
    spool.put(ALERT)
    with pytest.raises(SpoolError, match="is full"):
        spool.put(replace(ALERT, key="1" * 32))


def test_an_alert_that_nobody_would_read_is_refused(tmp_path: Path) -> None:
    """The daemon reads files of a bounded size only."""
    with pytest.raises(SpoolError, match="larger than 16 MiB"):
        Spool(tmp_path, is_shared=False).put(replace(ALERT, body=b" " * MAX_FILE))


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The reason and the place; no half file stays."""
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match="file"):
        Spool(tmp_path / "file", is_shared=True).put(ALERT)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A named pipe would hold the command up for ever."""
    os.mkfifo(tmp_path / "1.alert")
    with pytest.raises(BrokenSpoolFile, match="no regular file"):
        read_spooled(tmp_path / "1.alert")


def test_one_process_empties_at_a_time(tmp_path: Path) -> None:
    """The second does not wait, and does nothing."""
    spool = Spool(tmp_path, is_shared=False)
    with spool.emptying() as first, spool.emptying() as second:
        assert (first, second) == (True, False)
    with spool.emptying() as third:
        assert third


@pytest.mark.parametrize(("url", "is_shared"), [(LOCAL, True), (REMOTE, False)], ids=["local", "remote"])
def test_the_shared_spool_is_for_the_daemon_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, is_shared: bool
) -> None:
    """Alerts to a daemon elsewhere stay with their user, who alone knows its address."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o3733)
    monkeypatch.setattr(spool_module, "SHARED", tmp_path / "shared")
    spool = usable_spool({"XDG_STATE_HOME": str(tmp_path)}, url)
    folder = tmp_path / ("shared" if is_shared else "mailalert/spool")
    assert spool == Spool(folder, is_shared=is_shared)


def test_a_named_spool_goes_before_all_others(tmp_path: Path) -> None:
    """MAILALERT_SPOOL, and without it the state directory of the user."""
    environ = {"MAILALERT_SPOOL": str(tmp_path / "named"), "XDG_STATE_HOME": str(tmp_path)}
    assert usable_spool(environ, LOCAL) == Spool(tmp_path / "named", is_shared=False)
    assert usable_own_spool(environ) == Spool(tmp_path / "mailalert/spool", is_shared=False)


def test_the_reason_for_no_spool_is_kept(tmp_path: Path) -> None:
    """It is told once the daemon cannot be reached either."""
    (tmp_path / "file").touch()
    assert isinstance(usable_spool({"MAILALERT_SPOOL": str(tmp_path / "file")}, LOCAL), SpoolError)


class Vanished:
    """An entry of a directory whose file another command has just posted."""

    name = ".draft"

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        raise FileNotFoundError(follow_symlinks)


def test_what_other_commands_do_meanwhile_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs that fail together lose no alert: files come and go while the room is counted."""
    monkeypatch.setattr(os, "scandir", lambda _folder: nullcontext([Vanished()]))
    assert Spool(tmp_path, is_shared=False).put(ALERT).exists()


def test_a_file_that_is_held_is_not_taken(tmp_path: Path) -> None:
    """Its own command posts it; once that has ended, however it did, anybody may."""
    spool = Spool(tmp_path, is_shared=False)
    with spool.hold(ALERT) as held:
        assert read_spooled(held.file) is None
    assert read_spooled(held.file) == ALERT


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_sticky_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    """Its owner could take alerts out; only the daemon's user is trusted, or root."""
    tmp_path.chmod(0o3733)
    os.chown(tmp_path, 12345, 12345)
    with pytest.raises(SpoolError, match="belongs to another user"):
        open_spool(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_the_owner_of_the_usual_spool_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is the user of the daemon."""
    tmp_path.chmod(0o3733)
    os.chown(tmp_path, 12345, 12345)
    monkeypatch.setattr(spool_module, "SHARED", tmp_path)
    assert open_spool(tmp_path).is_shared
