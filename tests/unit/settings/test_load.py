"""Settings come from the file and the environment, and what is wrong is said in plain words."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.address import Mailbox
from app.domain.errors import ConfigurationError
from app.settings.load import load_settings
from app.settings.model import Settings

COMPLETE = {
    "MAILALERT_RELAY": "smtp://mail.example.org",
    "MAILALERT_MAIL_FROM": "alerts@example.org",
    "MAILALERT_MAIL_TO": "ops@example.org",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where no ./config/mailalert.toml is."""
    monkeypatch.chdir(tmp_path)


def load(environ: dict[str, str] | None = None, *, toml: str | None = None, sandbox: bool = False) -> Settings:
    """Load with a complete environment, `environ` on top of it, and a file that holds `toml`."""
    config = None
    if toml is not None:
        config = Path("mailalert.toml")
        config.write_text(toml, encoding="utf-8")
    return load_settings(config=config, sandbox=sandbox, environ=COMPLETE | (environ or {}))


def complaint(environ: dict[str, str] | None = None, *, toml: str | None = None) -> str:
    """Return what loading complains of."""
    with pytest.raises(ConfigurationError) as caught:
        load(environ, toml=toml)
    return str(caught.value)


def test_the_defaults_are_the_documented_ones() -> None:
    """A daemon with only its three required settings runs as the documentation says."""
    settings = load()
    assert (settings.http.host, settings.http.port, settings.http.body_limit) == ("127.0.0.1", 8825, 1 << 20)
    assert (settings.retention, settings.lifetime) == (timedelta(days=30), timedelta(hours=24))
    assert (settings.drain_timeout, settings.startup_notice) == (timedelta(seconds=30), True)
    assert (settings.relay_connections, settings.backlog_limit) == (4, 5_000_000)
    assert (settings.data_dir, settings.sandbox) == (Path("var"), False)


def test_the_environment_wins_over_the_file() -> None:
    """A variable replaces its setting in the file and leaves its neighbours alone."""
    toml = '[http]\nhost = "::1"\nport = 1\nallowed_hosts = ["a.example"]'
    http = load({"MAILALERT_HTTP__PORT": "2"}, toml=toml).http
    assert (http.host, http.port, http.allowed_hosts) == ("::1", 2, ("a.example",))


@pytest.mark.parametrize("value", ["Ops <ops@example.org>; boss@example.org", "Ops <ops@example.org>,boss@example.org"])
def test_recipients_stand_in_one_variable(value: str) -> None:
    """Semicolons and commas separate addresses."""
    expected = (Mailbox("ops@example.org", "Ops"), Mailbox("boss@example.org"))
    assert load({"MAILALERT_MAIL_TO": value}).mail_to == expected


def test_recipients_may_be_a_list_in_the_file() -> None:
    """TOML's own lists are taken."""
    environ = {name: value for name, value in COMPLETE.items() if name != "MAILALERT_MAIL_TO"}
    Path("f.toml").write_text('mail_to = ["ops@example.org"]')
    settings = load_settings(config=Path("f.toml"), sandbox=False, environ=environ)
    assert settings.mail_to == (Mailbox("ops@example.org"),)


def test_missing_settings_are_named_with_how_to_set_them() -> None:
    """Somebody who starts with nothing reads what is needed and where it goes."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(config=None, sandbox=False, environ={"MAILALERT_MAIL_FROM": "a@example.org"})
    said = str(caught.value)
    assert "MAILALERT_RELAY" in said
    assert "mail_to in the configuration file" in said
    assert "MAILALERT_MAIL_FROM" not in said
    assert "--sandbox" in said


def test_the_sandbox_needs_nothing_and_drops_the_relay() -> None:
    """With --sandbox no mail can leave the machine, whatever relay is configured."""
    bare = load_settings(config=None, sandbox=True, environ={})
    assert bare.sandbox
    assert bare.mail_from == Mailbox("alerts@sandbox.example")
    configured = load({"MAILALERT_RELAY": "smtps://u:password@mail.example.org"}, sandbox=True)
    assert configured.relay is None
    assert configured.mail_to == (Mailbox("ops@example.org"),)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("MAILALERT_RELAI", "MAILALERT_RELAY"),
        ("MAILALERT_HTTP_PORT", "MAILALERT_HTTP__PORT"),
        ("MAILALERT_PORT", "MAILALERT_HTTP__PORT"),
        ("MAILALERT_HTTP", "MAILALERT_HTTP__PORT"),
        ("mailalert_relay", "MAILALERT_RELAY"),
        ("MAILALERT_HTTPTOKEN", "MAILALERT_HTTP__TOKEN"),
    ],
)
def test_an_unknown_variable_gets_the_nearest_name(name: str, nearest: str) -> None:
    """A misspelt variable stops the start instead of being ignored."""
    said = complaint({name: "value-of-it"})
    assert f"{name}: no such setting in the environment; did you mean {nearest}?" in said
    assert "value-of-it" not in said


@pytest.mark.parametrize(
    ("toml", "key", "nearest"),
    [
        ("mailto = 'x'", "mailto", "mail_to"),
        ("port = 1", "port", "http.port"),
        ("[http]\nprot = 1", "http.prot", "http.port"),
        ("sandbox = true", "sandbox", ""),
        ("[web]\nport = 1", "web", ""),
    ],
)
def test_an_unknown_key_gets_the_nearest_name(toml: str, key: str, nearest: str) -> None:
    """A misspelt key in the file stops the start as well."""
    said = complaint(toml=toml)
    assert f"{key}: no such setting in the configuration file" in said
    assert not nearest or f"did you mean {nearest}?" in said


@pytest.mark.parametrize("name", ["MAILALERT_TOKEN_FILE", "MAILALERT_URL"])
def test_the_client_variables_are_no_mistake(name: str) -> None:
    """Who sends and who serves may share an environment."""
    assert load({name: "/x"}).http.token is None


def test_an_empty_variable_is_refused() -> None:
    """An empty value is mostly a variable that was not filled in."""
    assert "MAILALERT_RELAY: the variable is empty" in complaint({"MAILALERT_RELAY": ""})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MAILALERT_HTTP__PORT", "http", "http.port: is no whole number"),
        ("MAILALERT_HTTP__PORT", "70000", "http.port: is too large: at most 65535"),
        ("MAILALERT_RETENTION", "30", "retention: is no duration"),
        ("MAILALERT_RETENTION", "59m", "retention: is too small: at least 1h"),
        ("MAILALERT_RETENTION", "999999999d", "retention: is too large: at most 36500d"),
        ("MAILALERT_LIFETIME", "8d", "lifetime: is too large: at most 7d"),
        ("MAILALERT_DRAIN_TIMEOUT", "2h", "drain_timeout: is too large: at most 1h"),
        ("MAILALERT_DEGRADED_AFTER", "0s", "degraded_after: is too small: at least 1s"),
        ("MAILALERT_STARTUP_NOTICE", "perhaps", "startup_notice: is neither true nor false"),
        ("MAILALERT_MAIL_FROM", "nobody", "mail_from: 'nobody' is no mail address"),
        ("MAILALERT_MAIL_TO", "a@example.org;b", "mail_to: 'b' is no mail address"),
        ("MAILALERT_SERVER_NAME", "\x01", "server_name: is empty"),
        ("MAILALERT_HELO_NAME", "a\r\nQUIT", "helo_name: is no host name or address literal"),
        ("MAILALERT_HTTP__TRUSTED_PROXIES", "*", "http.trusted_proxies: '*' is no address or network"),
        ("MAILALERT_HTTP__ALLOWED_HOSTS", "http://a", "http.allowed_hosts: 'http://a' is no host name"),
        ("MAILALERT_RELAY", "mail.example.org", "relay: no relay URL"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(name: str, value: str, said: str) -> None:
    """The complaint names the setting and what is wrong with it."""
    assert said in complaint({name: value})


def test_all_problems_are_told_at_once() -> None:
    """Nobody mends one setting only to hear of the next."""
    said = complaint({"MAILALERT_HTTP__PORT": "x", "MAILALERT_RETENTION": "x"})
    assert "http.port" in said
    assert "retention" in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "monitor.example.org"])
def test_a_reachable_host_needs_a_token(host: str) -> None:
    """A listener that other machines reach does not run open."""
    assert "a token is required" in complaint({"MAILALERT_HTTP__HOST": host})
    assert load({"MAILALERT_HTTP__HOST": host, "MAILALERT_HTTP__TOKEN": "secret"}).http.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    """On this machine alone the daemon runs without set-up."""
    assert load({"MAILALERT_HTTP__HOST": host}).http.token is None


@pytest.mark.parametrize("name", ["data_dir", "spool_dir", "templates_dir"])
def test_a_folder_has_a_name(name: str) -> None:
    """An empty one would be the folder in which the daemon happens to start, full of files of others."""
    assert complaint(toml=f'{name} = ""').startswith(f"{name}: is empty; write the path of a folder")


def test_systemd_names_the_data_directory() -> None:
    """StateDirectory= is used unless a data directory is set."""
    assert load({"STATE_DIRECTORY": "/var/lib/mailalert:/other"}).data_dir == Path("/var/lib/mailalert")
    assert load({"STATE_DIRECTORY": "/x", "MAILALERT_DATA_DIR": "/y"}).data_dir == Path("/y")


def test_the_file_is_found() -> None:
    """--config wins over MAILALERT_CONFIG, which wins over ./config/mailalert.toml."""
    for name, port in (("given", 1), ("named", 2), ("config/mailalert", 3)):
        Path(name).parent.mkdir(exist_ok=True)
        Path(f"{name}.toml").write_text(f"[http]\nport = {port}")
    named = COMPLETE | {"MAILALERT_CONFIG": "named.toml"}
    assert load_settings(config=Path("given.toml"), sandbox=False, environ=named).http.port == 1
    assert load_settings(config=None, sandbox=False, environ=named).http.port == 2
    assert load_settings(config=None, sandbox=False, environ=COMPLETE).http.port == 3


def test_a_named_file_must_exist() -> None:
    """A file that was asked for is not silently left out."""
    with pytest.raises(ConfigurationError, match=r"--config: there is no file nowhere\.toml"):
        load_settings(config=Path("nowhere.toml"), sandbox=True, environ={})


BROKEN = {
    "cut": b"relay = ",
    "latin-1": b"relay = \xff",
    "bracket": b"[http",
    "nested without end": b"relays = " + b"[" * 100_000,
    "endless number": b"backlog_limit = " + b"9" * 5000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_told_by_name(content: bytes) -> None:
    """What is no TOML says so, with the file."""
    Path("broken.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"broken\.toml is not TOML"):
        load_settings(config=Path("broken.toml"), sandbox=True, environ={})


def test_settings_do_not_change() -> None:
    """What was checked at the start holds until the end."""
    settings = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.sandbox = True  # type: ignore[misc]  # that it cannot be set is what is tested
