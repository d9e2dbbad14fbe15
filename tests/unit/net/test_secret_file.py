"""A secret is replaced all at once, and stays as hidden as it was. How it is read, tests/unit/settings shows."""

import os
from pathlib import Path

import pytest

from app.net.secret_file import read_secret, replace_secret
from tests.support.requirements import require_root


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_replaced_secret_keeps_its_mode(mode: int, tmp_path: Path) -> None:
    """Who could not read the old secret cannot read the new one, and who could still can."""
    file = tmp_path / "token"
    file.write_text("old\n")
    file.chmod(mode)
    replace_secret(file, "new")
    assert read_secret(file, name="token") == "new"
    assert file.stat().st_mode & 0o777 == mode


def test_a_secret_that_root_replaces_keeps_its_owner(tmp_path: Path) -> None:
    """The daemon, which runs as another user, can read it afterwards."""
    require_root()  # nobody else can give a file away
    file = tmp_path / "token"
    file.write_text("old\n")
    os.chown(file, 65534, 65533)
    replace_secret(file, "new")
    assert (file.stat().st_uid, file.stat().st_gid) == (65534, 65533)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that a link leads to is replaced, wherever it lies."""
    (tmp_path / "elsewhere").mkdir()
    file, link = tmp_path / "elsewhere" / "token", tmp_path / "token"
    file.write_text("old\n")
    link.symlink_to(file)
    replace_secret(link, "new")
    assert link.is_symlink()
    assert read_secret(file, name="token") == "new"


def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """A secret that cannot be written does not lie around in part."""
    file = tmp_path / "token"
    file.write_text("old\n")
    with pytest.raises(UnicodeEncodeError):
        replace_secret(file, "\ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["token"]
    assert read_secret(file, name="token") == "old"
