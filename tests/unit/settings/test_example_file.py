"""config/mailalert.toml tells the truth."""

import re
import tomllib
from pathlib import Path

import pytest

from app.settings.load import load_settings
from app.settings.names import SETTINGS

FILE = Path(__file__).parents[3] / "config" / "mailalert.toml"
COMMENTED_OUT = re.compile(r"^#(?=\w+ = )", re.MULTILINE)
# Their defaults are nothing, or depend on the machine; the file shows an example.
WITHOUT_DEFAULT = re.compile(
    r"^#(?=(relay|mail_from|mail_to|relay_password_file|helo_name|server_name|templates_dir|data_dir|token_file) = )",
    re.MULTILINE,
)
SAID_IN_WORDS = {"relay_password", "http.token"}  # beside their better _file forms


@pytest.fixture
def text() -> str:
    return FILE.read_text(encoding="utf-8")


def test_it_changes_nothing_as_it_is(text: str) -> None:
    """All settings are commented out."""
    assert tomllib.loads(text) == {"http": {}}


def test_it_shows_every_setting(text: str) -> None:
    """No setting is a secret of the source code, and none in the file is made up."""
    table = tomllib.loads(COMMENTED_OUT.sub("", text))
    shown = {name for name in table if name != "http"} | {f"http.{name}" for name in table["http"]}
    assert shown | SAID_IN_WORDS == set(SETTINGS)


def test_the_defaults_it_shows_are_the_defaults(text: str, tmp_path: Path) -> None:
    """Deleting a # before a default changes nothing."""
    examples_out = WITHOUT_DEFAULT.sub("# ", text)
    file = tmp_path / "defaults.toml"
    file.write_text(COMMENTED_OUT.sub("", examples_out), encoding="utf-8")
    (tmp_path / "nothing.toml").touch()
    nothing = load_settings(config=tmp_path / "nothing.toml", sandbox=True, environ={})
    assert load_settings(config=file, sandbox=True, environ={}) == nothing


def test_its_examples_can_be_used(text: str, tmp_path: Path) -> None:
    """With every # deleted and the secrets in place it loads."""
    for secret in ("relay_password", "http_token"):
        (tmp_path / secret).write_text("secret\n")
    file = tmp_path / "all.toml"
    file.write_text(COMMENTED_OUT.sub("", text).replace("/etc/mailalert", str(tmp_path)), encoding="utf-8")
    relay = load_settings(config=file, sandbox=False, environ={}).outgoing_relay()
    assert (relay.username, relay.password, relay.port) == ("alerts@example.org", "secret", 465)
