"""Where a login comes from, when there is no server to ask."""

import traceback
from pathlib import Path

import pytest

from app.domain.errors import LoginUnavailable
from app.domain.login import Login
from app.net.logins import FixedLogin, NoLogin, PasswordFile


async def test_no_login() -> None:
    """A relay that wants no login gets none."""
    assert await NoLogin().current() is None


async def test_a_fixed_login_stays_when_it_is_refused() -> None:
    """Only a person can change what stands in the settings."""
    logins = FixedLogin(Login("tim", "old"))
    logins.refused(Login("tim", "old"))
    assert await logins.current() == Login("tim", "old")


async def test_a_rotated_password_works_at_once(tmp_path: Path) -> None:
    """The file is read for each connection, so that nobody has to restart the daemon."""
    file = tmp_path / "password"
    file.write_text("old\n")
    logins = PasswordFile("tim", file)
    assert await logins.current() == Login("tim", "old")
    file.write_text("new\n")
    assert await logins.current() == Login("tim", "new")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"\n", "is empty"),
        (b"canary\ncanary\n", "more than one line"),
        (b"canary\xff", "not UTF-8"),
    ],
    ids=["missing", "empty", "two lines", "binary"],
)
async def test_a_useless_file_is_for_a_person_to_mend(content: bytes | None, said: str, tmp_path: Path) -> None:
    """The fault names setting and file, is a configuration's, and neither it nor its traceback shows the content."""
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(LoginUnavailable, match=f"password_file: {file} .*{said}") as caught:
        await PasswordFile("tim", file).current()
    assert caught.value.is_configuration
    assert "canary" not in "".join(traceback.format_exception(caught.value))
