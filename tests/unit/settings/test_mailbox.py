"""`[mailbox]` and `[probe]`: off unless they are set, their secrets hidden, and refused in plain words."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.access import AllowedRecipients
from app.domain.address import Mailbox
from app.domain.envelope import Envelope
from app.domain.errors import ConfigurationError
from app.domain.mail_read import AfterReading
from app.domain.mailbox_server import MailboxSecurity
from app.domain.relay import TlsFiles
from app.mail.message_id import MessageIds
from app.settings.load import load_mailbox, load_settings
from app.settings.mailbox import POSITION_ROOM, TOKEN_ROOM, MailboxSetup
from app.settings.model import Settings
from app.settings.probe import ProbeSetup
from tests.support.certificates import Authority
from tests.support.factories import Factory

CANARY = "canary-8f3a"
COMPLETE = {
    "MAILALERT_RELAY": "smtp://mail.example.org",
    "MAILALERT_MAIL_FROM": "alerts@example.org",
    "MAILALERT_MAIL_TO": "ops@example.org",
}
IMAP = "imaps://alerts@mail.example.org"
POP3 = "pop3s://alerts@mail.example.org"
PROBED = {"url": IMAP, "password": CANARY, "MAILALERT_PROBE__EVERY": "15m"}
OAUTH = {
    "url": IMAP,
    "oauth__flow": "client_credentials",
    "oauth__token_url": "https://t.example/token",
    "oauth__client_id": "id",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where files can be written."""
    monkeypatch.chdir(tmp_path)
    Path("secret").write_text(f"{CANARY}\n")


def load(given: Mapping[str, str]) -> Settings:
    """Load what is given of the section in the environment, or of another section or the top by its whole name."""
    return load_settings(config=None, sandbox=False, environ=COMPLETE | dict(map(_variable, given.items())))


def _variable(given: tuple[str, str]) -> tuple[str, str]:
    name, value = given
    return (name if name.isupper() else f"MAILALERT_MAILBOX__{name.upper()}"), value


def mailbox(url: str = IMAP, **settings: str) -> MailboxSetup:
    setup = load({"url": url} | settings).mailbox_setup()
    assert setup is not None
    return setup


def complaint(**settings: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(settings)
    return str(caught.value)


def test_nothing_is_read_or_probed_by_default() -> None:
    """Both are off."""
    settings = load({})
    assert (settings.mailbox_setup(), settings.probe_setup()) == (None, None)


def test_a_mailbox_needs_a_url_and_a_password() -> None:
    """The rest has defaults."""
    setup = mailbox(password=CANARY)
    server = setup.server
    assert (server.security, server.host, server.port) == (MailboxSecurity.IMAP_TLS, "mail.example.org", 993)
    assert (server.username, server.password, server.folder) == ("alerts", CANARY, "INBOX")
    assert (setup.every, setup.after, setup.ack_from, setup.reply_address) == (
        timedelta(minutes=1),
        AfterReading.KEEP,
        None,
        None,
    )


@pytest.mark.parametrize(
    "given",
    [
        {"password": CANARY},
        {"password_file": "secret"},
        {"url": f"imaps://alerts:{CANARY}@mail.example.org"},
        {"CREDENTIALS_DIRECTORY": "credentials"},
    ],
    ids=["by itself", "file", "url", "credential"],
)
def test_its_password_comes_in_every_way_and_is_blotted_out(given: dict[str, str]) -> None:
    """As a relay's does; no log shows it."""
    Path("credentials").mkdir()
    Path("credentials/mailbox_password").write_text(f"{CANARY}\n")
    settings = load({"url": IMAP} | given)
    setup = settings.mailbox_setup()
    assert setup is not None
    assert setup.server.password == CANARY
    assert CANARY in settings.secrets()
    assert CANARY not in repr(settings) + repr(setup)


def test_a_password_file_is_known_for_later() -> None:
    """It is read again at each connection."""
    assert mailbox(password_file="secret").password_file == Path("secret")


def test_it_logs_in_by_a_token() -> None:
    """The client's secret is one too."""
    settings = load(OAUTH | {"oauth__client_secret_file": "secret"})
    setup = settings.mailbox_setup()
    assert setup is not None
    assert setup.oauth is not None
    assert setup.oauth.client.client_secret == CANARY
    assert CANARY in settings.secrets()


def test_it_has_certificates_of_its_own(authority: Authority) -> None:
    """They are named as a relay's are."""
    setup = mailbox(password=CANARY, ca_file=str(authority.bundle))
    assert setup.server.tls == TlsFiles(ca=str(authority.bundle))


def test_what_is_done_with_mail_is_taken_over() -> None:
    """Each setting reaches the setup."""
    setup = mailbox(
        password=CANARY,
        folder="Alerts",
        every="5s",
        from_beginning="true",
        after="move",
        move_to="Done",
        message_limit="1KiB",
        intake="true",
        confirm="false",
        verp="true",
        set_aside_after="0",
    )
    assert (setup.server.folder, setup.every, setup.from_beginning) == ("Alerts", timedelta(seconds=5), True)
    assert (setup.after, setup.move_to, setup.message_limit) == (AfterReading.MOVE, "Done", 1024)
    assert (setup.intake, setup.confirm, setup.verp, setup.set_aside_after) == (True, False, True, 0)


def test_who_may_acknowledge_besides_the_recipients() -> None:
    """Addresses and domains, as those whom senders may name."""
    expected = AllowedRecipients.of(["boss@example.com", "example.org"])
    assert mailbox(password=CANARY, ack_from="boss@example.com, @example.org").ack_from == expected


@pytest.mark.parametrize("spelled", ["inbox", "InBox"])
def test_inbox_is_one_folder_in_any_spelling(spelled: str) -> None:
    """RFC 9051 section 5.1; the journal must not take it for another mailbox."""
    assert mailbox(password=CANARY, folder=spelled).server.folder == "INBOX"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": IMAP}, "mailbox.url: a user without a password; put the password into a file (mailbox.password_file)"),
        ({"url": f"https://alerts:{CANARY}@h"}, "mailbox.url: no mailbox URL; write it as imaps://user@host"),
        ({"url": f"imaps://h:{CANARY}"}, "mailbox.url: no mailbox URL"),
        ({"url": f"imaps://a:{CANARY}@h", "password": CANARY}, "mailbox.password: given twice"),
        ({"url": IMAP, "password": CANARY, "password_file": "secret"}, "mailbox.password: given twice"),
        ({"url": IMAP, "password_file": "lost"}, "mailbox.password_file: lost cannot be read"),
        (OAUTH | {"password": CANARY, "oauth__client_secret": "s"}, "mailbox.url: a password beside oauth"),
        (OAUTH, "mailbox.oauth.client_secret: is missing; set client_secret_file"),
        ({"url": IMAP, "password": CANARY, "ca_file": "lost.pem"}, "mailbox.ca_file: lost.pem cannot be read"),
        ({"url": IMAP, "password": CANARY, "client_key": "k"}, "mailbox.client_key: it needs a client_certificate"),
        ({"url": POP3, "password": CANARY, "folder": "Alerts"}, "mailbox.folder: POP3 knows no folders but INBOX"),
        ({"url": POP3, "password": CANARY, "after": "move"}, 'mailbox.after: POP3 cannot move mail; write "keep"'),
        ({"url": IMAP, "password": CANARY, "after": "move", "move_to": "inbox"}, "mailbox.move_to: is the folder"),
        ({"url": IMAP, "password": CANARY, "after": "burn"}, "mailbox.after: is none of 'keep', 'delete' or 'move'"),
        ({"url": IMAP, "password": CANARY, "folder": "a\nb"}, "mailbox.folder: is no name of a folder"),
        ({"url": IMAP, "password": CANARY, "every": "4s"}, "mailbox.every: is too small: at least 5s"),
        ({"url": IMAP, "password": CANARY, "every": "2d"}, "mailbox.every: is too large: at most 1d"),
        ({"url": IMAP, "password": CANARY, "message_limit": "257MiB"}, "mailbox.message_limit: is too large"),
        ({"url": IMAP, "password": CANARY, "set_aside_after": "1001"}, "mailbox.set_aside_after: is too large"),
        ({"intake": "true"}, "mailbox.url: is missing, and without it no mailbox is read"),
        ({"MAILALERT_PROBE__EVERY": "15m"}, "probe.every: probes need a mailbox that is read"),
        ({"MAILALERT_PROBE__EVERY": "30s"}, "probe.every: is too small: at least 1m"),
        ({"MAILALERT_PROBE__ALARM_AFTER": "29s"}, "probe.alarm_after: is too small: at least 30s"),
    ],
    ids=lambda value: value[:45] if isinstance(value, str) else "",
)
def test_what_is_wrong_is_told_without_the_secret(settings: dict[str, str], said: str) -> None:
    """The complaint names the setting, and what would be right."""
    told = complaint(**settings)
    assert said in told
    assert CANARY not in told


def test_a_lost_refresh_token_is_found_at_the_start() -> None:
    """Not at the first look into the mailbox."""
    lost = OAUTH | {"oauth__flow": "refresh_token", "oauth__refresh_token_file": "lost"}
    assert "mailbox.oauth.refresh_token_file: lost cannot be read" in complaint(**lost)


def test_a_reply_address_has_room_for_a_token() -> None:
    """29 octets before the @ are the most."""
    address = f"{'a' * 29}@example.org"
    assert mailbox(password=CANARY, reply_address=address).reply_address == Mailbox(address)
    assert "mailbox.reply_address: leaves no room" in complaint(url=IMAP, password=CANARY, reply_address=f"a{address}")


@pytest.mark.parametrize(
    ("variable", "name"),
    [("MAILALERT_MAIL_FROM", "mail_from"), ("reply_address", "reply_address")],
    ids=["sender", "reply address"],
)
def test_verp_has_room_for_the_position_too(variable: str, name: str) -> None:
    """The complaint names the address that would be too long."""
    most = f"{'é' * 11}x@example.org"  # octets count, not letters
    assert mailbox(password=CANARY, verp="true", **{variable: most}).verp
    told = complaint(url=IMAP, password=CANARY, verp="true", **{variable: f"a{most}"})
    assert told.startswith(f"mailbox.verp: {name} leaves no room")


def test_the_room_is_what_a_token_takes() -> None:
    """The settings and the maker of tokens agree."""
    ids, envelope = MessageIds(b"key"), Factory().mail().envelope
    assert room_taken(ids, envelope) == TOKEN_ROOM
    assert room_taken(ids, envelope, position=99_999) == TOKEN_ROOM + POSITION_ROOM


def room_taken(ids: MessageIds, envelope: Envelope, position: int | None = None) -> int:
    return len(ids.sub_address(envelope, "a@b", position=position)) - len("a@b")


def test_probes_go_to_the_sender_by_default() -> None:
    """That is the system's own mailbox."""
    probe = load(PROBED).probe_setup()
    assert probe == ProbeSetup(
        every=timedelta(minutes=15), to=Mailbox("alerts@example.org"), alarm_after=timedelta(minutes=10)
    )


def test_probes_go_where_they_are_sent() -> None:
    """Any address will do whose mail comes into the mailbox."""
    more = {"MAILALERT_PROBE__TO": "p@example.net", "MAILALERT_PROBE__ALARM_AFTER": "30s"}
    setup = load(PROBED | more).probe_setup()
    assert setup is not None
    assert (setup.to, setup.alarm_after) == (Mailbox("p@example.net"), timedelta(seconds=30))


def test_the_sandbox_reads_no_mailbox() -> None:
    """Mail stays on this machine, so there is none to read, and no probe to send."""
    environ = dict(map(_variable, (PROBED | {"password_file": "lost"}).items()))
    settings = load_settings(config=None, sandbox=True, environ=environ)
    assert (settings.mailbox_setup(), settings.probe_setup()) == (None, None)


def alone(toml: str = "", **environ: str) -> MailboxSetup | None:
    """Load the section alone."""
    Path("mailalert.toml").write_text(toml, encoding="utf-8")
    return load_mailbox(config=Path("mailalert.toml"), environ=environ)


def test_the_section_is_enough_to_read_by() -> None:
    """Whatever is missing or wrong around it: a person looks into the mailbox because of that."""
    setup = alone(f'relay = 5\nunknown = 1\n[mailbox]\nurl = "{IMAP}"\npassword_file = "secret"\n')
    assert setup is not None
    assert (setup.server.password, setup.secrets) == (CANARY, (CANARY,))
    assert CANARY not in repr(setup)


def test_the_environment_outweighs_the_section() -> None:
    """As in all settings; so do systemd's credentials stand in for a password."""
    Path("mailbox_password").write_text(f"{CANARY}\n")
    toml = f'[mailbox]\nurl = "{POP3}"\nevery = "5m"\n'
    setup = alone(toml, MAILALERT_MAILBOX__URL=IMAP, CREDENTIALS_DIRECTORY=".", MAILALERT_RELAY="nonsense")
    assert setup is not None
    assert (setup.server.security, setup.server.password) == (MailboxSecurity.IMAP_TLS, CANARY)
    assert setup.every == timedelta(minutes=5)


def test_no_section_is_no_mailbox() -> None:
    """And no fault."""
    assert alone() is alone('relay = "smtp://mail.example.org"') is None


@pytest.mark.parametrize(
    ("toml", "environ", "said"),
    [
        ('[mailbox]\nurrl = "x"', {}, "mailbox.urrl: no such setting"),
        ('[mailbox]\nfolder = "x"', {}, "mailbox.url: is missing"),
        ("mailbox = 3", {}, "mailbox: is a section"),
        ("", {"MAILALERT_MAILBOX__URRL": "x"}, "no such setting in the environment; did you mean"),
        (f'[mailbox]\nurl = "{IMAP}"', {}, "a user without a password"),
        ("[mailbox", {}, "is not TOML"),
    ],
    ids=["key", "no url", "no section", "variable", "no password", "no TOML"],
)
def test_what_is_wrong_in_the_section_is_told(toml: str, environ: dict[str, str], said: str) -> None:
    """In the words of the daemon."""
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        alone(toml, **environ)
