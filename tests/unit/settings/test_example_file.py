"""config/mailalert.toml tells the truth."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from pydantic import BaseModel

from app.domain.alert import Alert, Severity
from app.domain.rate import Rate
from app.domain.route import receivers_for
from app.settings.load import load_settings
from app.settings.mailbox import MailboxSettings
from app.settings.model import Settings
from app.settings.names import COLUMNS, SETTINGS
from app.settings.probe import ProbeSettings
from tests.support.certificates import Authority

FILE = Path(__file__).parents[3] / "config" / "mailalert.toml"
COMMENTED_OUT = re.compile(r"^#(?=\w+ = )", re.MULTILINE)
HEADING_OUT = re.compile(r"^#(?=\[)", re.MULTILINE)
SHORT_FORM = re.compile(r"^relay\w* = .*$", re.MULTILINE)
# It goes instead of the mailbox's password, which is shown as well.
MAILBOX_OAUTH = re.compile(r"^#\[mailbox\.oauth\]$.*?(?=^# ---- )", re.MULTILINE | re.DOTALL)
# Their defaults are nothing, or depend on the machine; the file shows an example.
EXAMPLES = (
    "relay|mail_from|mail_to|relay_password_file|helo_name|server_name|templates_dir|data_dir|token_file|"
    "tls_certificate|tls_key|password_file|ca_file|client_certificate|client_key|reply_address|"
    "to|url|command|ping_url|domain|selector|key_file|info|warning|error|critical"
)
WITHOUT_DEFAULT = re.compile(rf'^#(?=({EXAMPLES}) = |every = "15m")', re.MULTILINE)
# Beside their better _file forms, and a file that only one of two flows has.
SAID_IN_WORDS = {
    "relay_password",
    "http.token",
    "dkim.key",
    "mailbox.password",
    "mailbox.oauth.client_secret",
    "mailbox.oauth.refresh_token_file",
    "relays.password",
    "relays.oauth.client_secret",
    "relays.oauth.refresh_token_file",
}
ARRAYS = {"heartbeats", "receivers", "relays", "routes", "routes.routes", "tokens"}
SECTIONS = {"http", "smtp_intake", "mailbox", "probe", "alarm", "dkim", "lifetimes"}


@pytest.fixture
def text() -> str:
    return FILE.read_text(encoding="utf-8")


def settings_part(text: str) -> str:
    """Return what stands before the tables of relays, without the token of the mailbox."""
    return MAILBOX_OAUTH.sub("", text).partition("#[[relays]]")[0]


def with_every_hash_deleted(text: str) -> str:
    """Return the text with all settings and headings in force."""
    return HEADING_OUT.sub("", COMMENTED_OUT.sub("", text))


def shown(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the dotted settings of a table, those of all relays as those of one."""
    for key, value in table.items():
        inner = value if isinstance(value, list) else [value]
        tables = [item for item in inner if isinstance(item, dict)]
        if not tables:
            yield prefix + key
        for each in tables:
            yield from shown(each, f"{prefix}{key}.")


def test_it_changes_nothing_as_it_is(text: str) -> None:
    """All settings are commented out."""
    assert tomllib.loads(text) == {section: {} for section in SECTIONS}


def test_it_shows_every_setting(text: str) -> None:
    """No setting is a secret of the source code, and none in the file is made up."""
    table = tomllib.loads(with_every_hash_deleted(text))
    columns = {setting.replace("routes.routes.", "routes.") for setting in shown(table)}
    assert columns | SAID_IN_WORDS == {*SETTINGS, *COLUMNS} - ARRAYS


def test_what_it_says_in_words_it_says(text: str) -> None:
    """The settings without an example are explained all the same."""
    assert all(setting.rpartition(".")[2] in text for setting in SAID_IN_WORDS)


def test_the_defaults_it_shows_are_the_defaults(text: str, tmp_path: Path) -> None:
    """Deleting a # before a default changes nothing."""
    examples_out = WITHOUT_DEFAULT.sub("# ", settings_part(text))
    file = tmp_path / "defaults.toml"
    file.write_text(COMMENTED_OUT.sub("", examples_out), encoding="utf-8")
    (tmp_path / "nothing.toml").touch()
    nothing = load_settings(config=tmp_path / "nothing.toml", sandbox=True, environ={})
    assert load_settings(config=file, sandbox=True, environ={}) == nothing


@pytest.mark.parametrize(
    ("section", "model"), [("mailbox", MailboxSettings), ("probe", ProbeSettings)], ids=["mailbox", "probe"]
)
def test_the_defaults_of_the_reading_side_are_the_defaults(text: str, section: str, model: type[BaseModel]) -> None:
    """So it is in the sections that the sandbox leaves out."""
    examples_out = WITHOUT_DEFAULT.sub("# ", settings_part(text))
    shown_defaults = tomllib.loads(COMMENTED_OUT.sub("", examples_out))[section]
    assert shown_defaults
    assert model(**shown_defaults) == model()


def test_the_defaults_of_a_relay_are_the_defaults(text: str, tmp_path: Path) -> None:
    """So it is in a table of relays."""
    shown_first = tomllib.loads(with_every_hash_deleted(text))["relays"][0]
    file = tmp_path / "relays.toml"
    file.write_text('[[relays]]\nurl = "smtp://h"\n')
    (setup,) = load_settings(config=file, sandbox=False, environ=ADDRESSES).outgoing_relays()
    for name in ("connections", "mails_per_connection", "priority"):
        assert getattr(setup.policy, name) == shown_first[name]


ADDRESSES = {"MAILALERT_MAIL_FROM": "alerts@example.org", "MAILALERT_MAIL_TO": "ops@example.org"}


def loaded(text: str, folder: Path, authority: Authority) -> Settings:
    """Return the settings of a file that holds `text`, with every file that it names in its place."""
    for secret in ("relay_password", "mailbox_password", "http_token", "client_secret"):
        (folder / secret).write_text("secret\n")
    (folder / "hmac_grafana").write_text("a secret to sign with\n")
    (folder / "hmac_grafana").chmod(0o600)
    (folder / "dkim_key").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    copy(authority.bundle, folder / "ca.pem")
    certificate, key = authority.certificate_files()
    copy(certificate, folder / "client.pem")
    copy(key, folder / "client_key.pem")
    file = folder / "all.toml"
    file.write_text(text.replace("/etc/mailalert", str(folder)), encoding="utf-8")
    return load_settings(config=file, sandbox=False, environ={})


def test_its_examples_can_be_used(text: str, tmp_path: Path, authority: Authority) -> None:
    """With every # before one relay deleted and the secrets in place it loads."""
    settings = loaded(COMMENTED_OUT.sub("", settings_part(text)), tmp_path, authority)
    (setup,) = settings.outgoing_relays()
    assert (setup.relay.username, setup.relay.password, setup.relay.port) == ("alerts@example.org", "secret", 465)
    mailbox, probe = settings.mailbox_setup(), settings.probe_setup()
    assert mailbox is not None
    assert (str(mailbox.server), mailbox.server.password) == (
        "imaps://alerts@example.org@mail.example.org:993",
        "secret",
    )
    assert probe is not None
    assert probe.every == timedelta(minutes=15)


def test_the_token_of_its_mailbox_can_be_used(text: str, tmp_path: Path, authority: Authority) -> None:
    """It goes instead of the password."""
    (oauth,) = MAILBOX_OAUTH.findall(text)
    alone = COMMENTED_OUT.sub("", settings_part(text)).partition("# ---- Proof that mail arrives")[0]
    by_token = re.sub(r"^password_file.*$", "", alone, flags=re.MULTILINE) + with_every_hash_deleted(oauth)
    mailbox = loaded(by_token, tmp_path, authority).mailbox_setup()
    assert mailbox is not None
    assert mailbox.oauth is not None
    assert mailbox.oauth.client.client_secret == "secret"


def test_its_relays_can_be_used(text: str, tmp_path: Path, authority: Authority) -> None:
    """So it does with the tables of relays instead."""
    whole = with_every_hash_deleted(MAILBOX_OAUTH.sub("", text))
    first, second = loaded(SHORT_FORM.sub("", whole), tmp_path, authority).outgoing_relays()
    assert (first.relay.name, first.relay.password, first.policy.rate) == (
        "provider",
        "secret",
        Rate(100, timedelta(minutes=1)),
    )
    assert second.relay.name == "smtp.office365.com"
    assert second.oauth is not None
    assert second.oauth.client.client_secret == "secret"


def test_its_receivers_and_routes_can_be_used(text: str, tmp_path: Path) -> None:
    """They lead the alert of the example to its receiver."""
    arrays = with_every_hash_deleted(text.partition("# ---- Several receivers ----")[2])
    file = tmp_path / "receivers.toml"
    file.write_text('relay = "smtp://h"\n' + arrays, encoding="utf-8")
    settings = load_settings(config=file, sandbox=False, environ=ADDRESSES)
    alert = Alert(subject="slow", severity=Severity.ERROR, labels={"team": "db", "host": "db7"})
    assert receivers_for(settings.route_tree(), alert) == ("dba",)
    assert [receiver.name for receiver in settings.all_receivers()] == ["default", "dba"]
