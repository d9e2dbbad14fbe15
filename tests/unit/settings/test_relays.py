"""Several relays: how they are written, what follows, and what is wrong with them in plain words."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import ConfigurationError
from app.domain.rate import Rate
from app.domain.relay import RelayPolicy, TlsFiles
from app.settings.load import load_settings
from app.settings.relays import RelaySetup
from tests.support.certificates import Authority

CANARY = "canary-8f3a"
ADDRESSES = {"MAILALERT_MAIL_FROM": "alerts@example.org", "MAILALERT_MAIL_TO": "ops@example.org"}
OAUTH = {"flow": "client_credentials", "token_url": "https://t.example/token", "client_id": "id", "client_secret": "cs"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where files can be written."""
    monkeypatch.chdir(tmp_path)


def relays(*tables: dict[str, Any], **environ: str) -> tuple[RelaySetup, ...]:
    """Return what follows from the tables, given in the environment."""
    return load_settings(
        config=None, sandbox=False, environ=ADDRESSES | {"MAILALERT_RELAYS": json.dumps(tables)} | environ
    ).outgoing_relays()


def complaint(*tables: dict[str, Any], **environ: str) -> str:
    """Return what loading the tables complains of."""
    with pytest.raises(ConfigurationError) as caught:
        relays(*tables, **environ)
    return str(caught.value)


def test_tables_come_from_the_file() -> None:
    """Each `[[relays]]` is a relay, in the order of the file."""
    Path("f.toml").write_text(
        """
        [[relays]]
        url = "smtps://u@a.example"
        password = "p"
        rate = "10/s"
        [[relays]]
        name = "own"
        url = "smtp://b.example"
        priority = 2
        connections = 1
        mails_per_connection = 7
        """
    )
    first, second = load_settings(config=Path("f.toml"), sandbox=False, environ=ADDRESSES).outgoing_relays()
    assert (first.relay.name, first.relay.username, first.relay.password) == ("a.example", "u", "p")
    assert first.policy == RelayPolicy(rate=Rate(10, timedelta(seconds=1)))
    assert (second.relay.name, second.relay.host) == ("own", "b.example")
    assert second.policy == RelayPolicy(priority=2, connections=1, mails_per_connection=7)


def test_tables_come_from_the_environment() -> None:
    """MAILALERT_RELAYS takes them as JSON."""
    first, second = relays({"url": "smtp://a.example"}, {"url": "smtp://b.example"})
    assert (first.relay.host, second.relay.host) == ("a.example", "b.example")


def test_the_short_form_is_one_relay() -> None:
    """`relay` and its neighbours make a setup like a table does."""
    Path("p").write_text("secret")
    short = {
        "MAILALERT_RELAY": "smtps://u@h.example",
        "MAILALERT_RELAY_PASSWORD_FILE": "p",
        "MAILALERT_RELAY_CONNECTIONS": "2",
    }
    (setup,) = load_settings(config=None, sandbox=False, environ=ADDRESSES | short).outgoing_relays()
    (table,) = relays({"url": "smtps://u@h.example", "password_file": "p", "connections": 2})
    assert setup == table
    assert setup.password_file == Path("p")


@pytest.mark.parametrize("name", ["RELAY", "RELAY_PASSWORD", "RELAY_CONNECTIONS"])
def test_the_short_form_beside_tables_is_refused(name: str) -> None:
    """Nobody can know which is meant; the complaint names both."""
    said = complaint({"url": "smtp://a"}, **{f"MAILALERT_{name}": "4"})
    assert f"{name.lower()} and relays: both are given" in said


def test_no_relay_at_all_is_refused() -> None:
    """An empty list is none."""
    assert "relay: the SMTP server" in complaint()


def test_the_sandbox_drops_every_relay() -> None:
    """With --sandbox no mail can leave the machine."""
    environ = {"MAILALERT_RELAYS": json.dumps([{"url": "smtp://a"}])}
    assert load_settings(config=None, sandbox=True, environ=environ).outgoing_relays() == ()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no URL": ({"name": "x"}, "relays.url in table 2: is missing (set url below [[relays]]"),
    "bad URL": ({"name": "x", "url": "mail"}, 'relay "x": url: no relay URL'),
    "no password": ({"url": "smtps://u@h"}, 'relay "h": url: a user without a password; put user@ into the URL'),
    "no user": ({"url": "smtps://h", "password": CANARY}, 'relay "h": url: a password without a user'),
    "no user in the URL": ({"url": f"smtps://:{CANARY}@h"}, 'relay "h": url: a password without a user'),
    "unknown key": ({"url": "smtp://h", "prority": 1}, "relays.prority: no such setting in table 2; did you mean"),
    "nearest": ({"url": "smtp://h", "prority": 1}, "did you mean relays.priority?"),
    "rate": ({"url": "smtp://h", "rate": "many"}, "relays.rate in table 2: is no rate"),
    "priority": ({"url": "smtp://h", "priority": 0}, "relays.priority in table 2: is too small: at least 1"),
    "name": ({"url": "smtp://h", "name": "a/b"}, "relays.name in table 2: is no name of a relay"),
    "same name": ({"url": "smtp://a.example:26"}, 'relays: 2 of them are called "a.example"'),
    "no CA": ({"url": "smtp://h", "ca_file": "nowhere"}, 'relay "h": ca_file: nowhere cannot be read'),
    "key alone": ({"url": "smtp://h", "client_key": "k"}, 'relay "h": client_key: it needs a client_certificate'),
    "lost password": ({"url": "smtps://u@h", "password_file": "x"}, 'relay "h": password_file: x cannot be read'),
    "password twice": (
        {"url": "smtps://u@h", "password": "p", "password_file": "x"},
        'relay "h": password: given twice',
    ),
    "password in the URL too": (
        {"url": "smtps://u:p@h", "password": CANARY},
        'relay "h": password: given twice, by itself and in the URL',
    ),
    "password file beside the URL's": (
        {"url": "smtps://u:p@h", "password_file": "x"},
        'relay "h": password: given twice',
    ),
    "oauth without a user": ({"url": "smtps://h", "oauth": OAUTH}, 'relay "h": url: oauth without a user'),
    "oauth and a password": ({"url": "smtps://u:p@h", "oauth": OAUTH}, 'relay "h": url: a password beside oauth'),
    "flow": ({"url": "smtps://u@h", "oauth": OAUTH | {"flow": "x"}}, "relays.oauth.flow in table 2: is none of"),
    "plain token URL": (
        {"url": "smtps://u@h", "oauth": OAUTH | {"token_url": "http://t.example"}},
        "relays.oauth.token_url in table 2: is no address with TLS",
    ),
    "user in the token URL": (
        {"url": "smtps://u@h", "oauth": OAUTH | {"token_url": f"https://id:{CANARY}@t.example/token"}},
        "relays.oauth.token_url in table 2: holds a user or a password",
    ),
    "fragment in the token URL": (
        {"url": "smtps://u@h", "oauth": OAUTH | {"token_url": f"https://t.example/token#{CANARY}"}},
        "relays.oauth.token_url in table 2: has a fragment",
    ),
    "no refresh token": (
        {"url": "smtps://u@h", "oauth": OAUTH | {"flow": "refresh_token"}},
        'relay "h": refresh_token_file: goes with flow = "refresh_token"',
    ),
    "no client secret": (
        {"url": "smtps://u@h", "oauth": {k: v for k, v in OAUTH.items() if k != "client_secret"}},
        'relay "h": client_secret: is missing',
    ),
}


@pytest.mark.parametrize(("table", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_a_table_is_told_in_plain_words(table: dict[str, Any], said: str) -> None:
    """The complaint names the relay, or the table by its number, and the setting."""
    told = complaint({"url": "smtp://a.example"}, table)
    assert said in told
    assert CANARY not in told


NO_TABLES = {"url": "smtp://h", "table": "{}", "1": "[1]", "cut": f'[{{"url": "{CANARY}', "nested": "[" * 100_000}


@pytest.mark.parametrize("value", NO_TABLES.values(), ids=NO_TABLES.keys())
def test_what_is_no_array_of_tables_is_told(value: str) -> None:
    """Without what was given, which may hold a password."""
    with pytest.raises(ConfigurationError, match="relays: is no array of tables") as caught:
        load_settings(config=None, sandbox=False, environ=ADDRESSES | {"MAILALERT_RELAYS": value})
    assert CANARY not in str(caught.value)


def test_tls_files_go_with_the_relay(authority: Authority) -> None:
    """An authority of one's own, and a certificate for the client."""
    certificate, key = map(str, authority.certificate_files())
    files = {"ca_file": str(authority.bundle), "client_certificate": certificate, "client_key": key}
    (setup,) = relays({"url": "smtps://h", **files})
    assert setup.relay.tls == TlsFiles(ca=str(authority.bundle), certificate=certificate, key=key)


def test_secrets_of_a_relay_come_from_credentials() -> None:
    """systemd's LoadCredential= needs the name of the relay only."""
    Path("relay_mx1_password").write_text("of-mx1\n")
    Path("relay_mx2_client_secret").write_text("of-client\n")
    oauth = {k: v for k, v in OAUTH.items() if k != "client_secret"}
    mx1, mx2 = relays(
        {"name": "mx1", "url": "smtps://u@a"},
        {"name": "mx2", "url": "smtps://u@b", "oauth": oauth},
        CREDENTIALS_DIRECTORY=".",
    )
    assert (mx1.relay.password, mx1.password_file) == ("of-mx1", Path("relay_mx1_password"))
    assert mx2.oauth is not None
    assert mx2.oauth.client.client_secret == "of-client"


def test_the_credential_of_the_short_form_is_not_for_tables() -> None:
    """A folder of secrets may hold a relay_password that a table names, or that nobody uses any more."""
    Path("relay_password").write_text("secret\n")
    named, other = relays(
        {"url": "smtps://u@a", "password_file": "relay_password"}, {"url": "smtp://b"}, CREDENTIALS_DIRECTORY="."
    )
    assert (named.relay.password, other.relay.password) == ("secret", "")


def test_the_secrets_of_all_relays_are_known_and_hidden() -> None:
    """The logs blot them out, and nothing shows them."""
    tables = [{"url": "smtps://u:p1@a"}, {"url": "smtps://u@b", "oauth": OAUTH | {"client_secret": CANARY}}]
    settings = load_settings(config=None, sandbox=False, environ=ADDRESSES | {"MAILALERT_RELAYS": json.dumps(tables)})
    assert settings.secrets() == ("p1", CANARY)
    assert CANARY not in f"{settings!r} {settings.outgoing_relays()!r}"
