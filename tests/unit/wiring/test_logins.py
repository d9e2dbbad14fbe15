"""Where the logins for a relay and for the mailbox come from."""

from pathlib import Path
from typing import Any

import pytest

from app.domain.login import Login, Logins, SecretKind
from app.domain.relay import DEFAULT_POLICY, parse_relay
from app.net.logins import FixedLogin, NoLogin, PasswordFile
from app.net.oauth import OAuthLogin
from app.net.token_server import OAuthClient
from app.settings.mailbox import MailboxSettings, mailbox_setup
from app.settings.oauth import OAuthSetup
from app.settings.relays import RelaySetup
from app.wiring.logins import logins_of, mailbox_logins

CLIENT = OAuthClient(token_url="https://t.example/token", client_id="id", client_secret="cs", scope="")
TOKEN_TABLE = {
    "flow": "client_credentials",
    "token_url": "https://t.example/token",
    "client_id": "id",
    "client_secret": "cs",
}
BY_TOKEN = OAuthSetup(client=CLIENT)


def setup(url: str, *, password_file: Path | None = None, oauth: OAuthSetup | None = None) -> RelaySetup:
    """Return what the settings make of a relay."""
    return RelaySetup(relay=parse_relay(url), policy=DEFAULT_POLICY, password_file=password_file, oauth=oauth)


@pytest.mark.parametrize(
    ("relay", "kind"),
    [
        (setup("smtp://a"), NoLogin),
        (setup("smtps://u:p@b"), FixedLogin),
        (setup("smtps://u:p@c", password_file=Path("p")), PasswordFile),
        (setup("smtps://u@d", oauth=BY_TOKEN), OAuthLogin),
    ],
    ids=["none", "fixed", "file", "token"],
)
def test_each_kind_of_login_has_its_source(relay: RelaySetup, kind: type[Logins]) -> None:
    """None, a fixed password, one in a file, and a token."""
    assert type(logins_of(relay)) is kind


async def test_a_password_file_is_read_again(tmp_path: Path) -> None:
    """So that a new password needs no restart."""
    file = tmp_path / "password"
    file.write_text("old")
    logins = logins_of(setup("smtps://u:old@c", password_file=file))
    file.write_text("new")
    assert await logins.current() == Login("u", "new", SecretKind.PASSWORD)


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"password": "p"}, FixedLogin),
        ({"password": "p", "password_file": "p"}, PasswordFile),
        ({"oauth": TOKEN_TABLE}, OAuthLogin),
    ],
    ids=["fixed", "file", "token"],
)
def test_the_mailbox_has_the_same_sources(more: dict[str, Any], kind: type[Logins]) -> None:
    """But none without a login, for it always wants one."""
    setup = mailbox_setup(MailboxSettings.model_validate({"url": "imaps://u@h"} | more), None)
    assert setup is not None
    assert type(mailbox_logins(setup)) is kind
