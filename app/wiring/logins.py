"""Builds where the logins for a relay come from."""

from app.domain.login import Login, Logins
from app.net.logins import FixedLogin, NoLogin, PasswordFile
from app.net.oauth import OAuthLogin
from app.settings.relays import RelaySetup


def logins_of(setup: RelaySetup) -> Logins:
    """Return where the logins for the relay come from."""
    relay = setup.relay
    if setup.oauth:
        return OAuthLogin(relay.username, setup.oauth.client, refresh_token_file=setup.oauth.refresh_token_file)
    if not relay.username:
        return NoLogin()
    if setup.password_file:
        return PasswordFile(relay.username, setup.password_file)
    return FixedLogin(Login(relay.username, relay.password))
