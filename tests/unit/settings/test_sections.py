"""The sections: alarms, DKIM, lifetimes by severity, attachments."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.address import Mailbox
from app.domain.alert import Severity
from app.domain.errors import ConfigurationError
from app.settings.load import load_settings
from app.settings.model import Settings
from app.settings.sections import DkimSetup

CANARY = "canary-8f3a"
COMPLETE = {
    "MAILALERT_RELAY": "smtp://mail.example.org",
    "MAILALERT_MAIL_FROM": "alerts@example.org",
    "MAILALERT_MAIL_TO": "ops@example.org",
}
KEY = f"-----BEGIN PRIVATE KEY-----\n{CANARY}\nmore\n-----END PRIVATE KEY-----\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where a key can be written."""
    monkeypatch.chdir(tmp_path)
    Path("dkim_key").write_text(KEY)


def load(**environ: str) -> Settings:
    """Load with a complete environment and these variables, named without their prefix."""
    return load_settings(
        config=None, sandbox=False, environ=COMPLETE | {f"MAILALERT_{name}": value for name, value in environ.items()}
    )


def complaint(**environ: str) -> str:
    """Return what loading complains of."""
    with pytest.raises(ConfigurationError) as caught:
        load(**environ)
    return str(caught.value)


# Alarms


def test_alarms_go_to_those_who_get_the_alerts() -> None:
    """Unless others are named; a pair of brackets names nobody, in the environment too."""
    everybody, admin = load().alarm_receiver(), load(ALARM__TO="admin@example.org").alarm_receiver()
    assert everybody is not None
    assert everybody.recipients == (Mailbox("ops@example.org"),)
    assert admin is not None
    assert admin.recipients == (Mailbox("admin@example.org"),)
    assert load(ALARM__TO="[]").alarm_receiver() is None


def test_a_command_is_split_as_a_shell_would() -> None:
    """Quotes hold together, and no shell runs."""
    assert load(ALARM__COMMAND="/bin/cat -u 'a b'").alarm.command == ("/bin/cat", "-u", "a b")
    assert load().alarm.command == ()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALARM__COMMAND", " ", "alarm.command: is no command"),
        ("ALARM__COMMAND", "/bin/cat 'a", "alarm.command: is no command"),
        ("ALARM__COMMAND", "/bin/no-such-program", "alarm.command: '/bin/no-such-program' is no program"),
        ("ALARM__URL", f"ftp://h/{CANARY}", "alarm.url: is no web address"),
        ("ALARM__URL", f"https:///{CANARY}", "alarm.url: is no web address"),
        ("ALARM__PING_URL", f"https://h:port/{CANARY}", "alarm.ping_url: is no web address"),
        ("ALARM__TO", "nobody", "alarm.to: 'nobody' is no mail address"),
        ("LIFETIMES__CRITICAL", "8d", "lifetimes.critical: is too large: at most 7d (set"),
        ("LIFETIMES__INFO", "1s", "lifetimes.info: is too small: at least 1m (set"),
        ("HTTP__ATTACHMENTS_LIMIT", "26MiB", "http.attachments_limit: is too large: at most 25MiB (set"),
        ("HTTP__BODY_LIMIT", "1", "http.body_limit: is too small: at least 1KiB (set"),
        ("DKIM__KEY", f"{CANARY} key", "dkim.key: is no private key in PEM form"),
        ("DKIM__SELECTOR", "a b", "dkim.selector: is no selector"),
        ("DKIM__DOMAIN", "a b", "dkim.domain: is no domain"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(name: str, value: str, said: str) -> None:
    """The complaint names the setting, and shows no secret."""
    told = complaint(**{name: value})
    assert said in told
    assert CANARY not in told


def test_addresses_with_a_key_in_them_are_secrets() -> None:
    """They are shown nowhere, and the logs blot them out."""
    url, ping = f"https://hooks.example/{CANARY}", f"https://ping.example/{CANARY}"
    settings = load(ALARM__URL=url, ALARM__PING_URL=ping)
    assert settings.secrets() == (url, ping)
    assert CANARY not in repr(settings)


# DKIM


def test_nothing_is_signed_unless_asked() -> None:
    """Without the section there is no set-up."""
    assert load().dkim_setup() is None


@pytest.mark.parametrize(
    "environ",
    [{"DKIM__KEY_FILE": "dkim_key"}, {"DKIM__KEY": KEY}],
    ids=["file", "variable"],
)
def test_selector_and_key_make_a_signature(environ: dict[str, str]) -> None:
    """The domain is the sender's unless another is named."""
    signing = load(DKIM__SELECTOR="s1", **environ).dkim_setup()
    assert signing == DkimSetup(domain="example.org", selector="s1", key=KEY.encode())
    other = load(DKIM__SELECTOR="s1", DKIM__DOMAIN="Mail.example.net", **environ).dkim_setup()
    assert other is not None
    assert other.domain == "mail.example.net"


def test_the_key_comes_as_a_credential() -> None:
    """systemd's LoadCredential=dkim_key needs no setting for it."""
    environ = COMPLETE | {"MAILALERT_DKIM__SELECTOR": "s1", "CREDENTIALS_DIRECTORY": "."}
    signing = load_settings(config=None, sandbox=False, environ=environ).dkim_setup()
    assert signing is not None
    assert signing.key == KEY.encode()


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"DKIM__SELECTOR": "s1"}, "dkim.key_file"),
        ({"DKIM__KEY_FILE": "dkim_key"}, "dkim.selector"),
        ({"DKIM__DOMAIN": "example.org"}, "dkim.selector"),
    ],
    ids=["key", "selector", "both"],
)
def test_half_a_signature_is_refused(environ: dict[str, str], missing: str) -> None:
    """Who sets one means to sign, and would not notice that nothing is signed."""
    assert f"{missing}: is missing" in complaint(**environ)


def test_the_key_is_hidden_and_blotted_out() -> None:
    """A log line that shows a line of it shows nothing."""
    settings = load(DKIM__SELECTOR="s1", DKIM__KEY_FILE="dkim_key")
    assert settings.secrets() == (CANARY, "more")
    assert CANARY not in f"{settings!r} {settings.dkim_setup()!r}"


@pytest.mark.parametrize("content", [None, b"\xff", b"no key"], ids=["none", "binary", "text"])
def test_a_useless_key_file_is_refused(content: bytes | None) -> None:
    """At the start, not at the first mail."""
    if content is not None:
        Path("other").write_bytes(content)
    assert "dkim.key" in complaint(DKIM__SELECTOR="s1", DKIM__KEY_FILE="other")


# Lifetimes and attachments


def test_a_severity_may_have_a_lifetime_of_its_own() -> None:
    """The others have the general one."""
    settings = load(LIFETIME="12h", LIFETIMES__CRITICAL="3d")
    assert settings.lifetime_of(Severity.CRITICAL) == timedelta(days=3)
    assert settings.lifetime_of(Severity.INFO) == timedelta(hours=12)


@pytest.mark.parametrize(("text", "limit"), [("0", 0), ("1MiB", 1 << 20)])
def test_attachments_can_be_limited_and_turned_off(text: str, limit: int) -> None:
    """10 MiB unless set."""
    assert load().http.attachments_limit == 10 << 20
    assert load(HTTP__ATTACHMENTS_LIMIT=text).http.attachments_limit == limit
