"""Builds where the logins for a relay, and for the mailbox, come from."""

from pathlib import Path

from app.domain.login import Login, Logins
from app.net.logins import FixedLogin, NoLogin, PasswordFile
from app.net.oauth import OAuthLogin
from app.settings.mailbox import MailboxSetup
from app.settings.oauth import OAuthSetup
from app.settings.relays import RelaySetup


def logins_of(setup: RelaySetup) -> Logins:
    """Return where the logins for the relay come from."""
    login = Login(setup.relay.username, setup.relay.password)
    return _logins(login, setup.password_file, setup.oauth) if login.username else NoLogin()


def mailbox_logins(setup: MailboxSetup) -> Logins:
    """Return where the logins for the mailbox come from."""
    return _logins(Login(setup.server.username, setup.server.password), setup.password_file, setup.oauth)


def _logins(login: Login, password_file: Path | None, oauth: OAuthSetup | None) -> Logins:
    if oauth:
        return OAuthLogin(login.username, oauth.client, refresh_token_file=oauth.refresh_token_file)
    return PasswordFile(login.username, password_file) if password_file else FixedLogin(login)
