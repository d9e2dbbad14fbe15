"""Builds what decides who may do what: the tokens of the settings, and who those are that show none."""

from hashlib import sha256

from app.domain.access import AllowedRecipients, Principal, Scope
from app.domain.ports import Clock
from app.httpkit.access import AccessControl
from app.httpkit.tokens import Token, TokenTable
from app.settings.model import Settings
from app.settings.tokens import SHORT_FORM, TokenEntry


def access_control(settings: Settings, clock: Clock) -> AccessControl:
    """Return the one that every door asks, so that wrong tokens of an address are counted together."""
    return AccessControl(token_table(settings), anybody=anybody(settings), clock=clock)


def token_table(settings: Settings) -> TokenTable:
    """Return all tokens: `http.token`, which opens everything, and those of `[[tokens]]`."""
    tokens = [_token(entry, settings) for entry in settings.tokens]
    short_form = settings.http.token
    if short_form is not None:
        digest = sha256(short_form.get_secret_value().encode()).digest()
        allowed = AllowedRecipients.of(settings.http.allowed_recipients)
        tokens.append(Token(principal=Principal(name=SHORT_FORM, allowed_recipients=allowed, fingerprint=digest)))
    return TokenTable(tokens)


def anybody(settings: Settings) -> Principal:
    """Return who sends a request where no token is asked for."""
    return Principal(allowed_recipients=AllowedRecipients.of(settings.http.allowed_recipients))


def spool_principal(settings: Settings) -> Principal:
    """Return who sends what lies in the spool: any user of this machine who may write there.

    A file proves no token. Where one is asked for, the spool opens nobody an address of its own choice.
    """
    asks_for_token = settings.http.token is not None or bool(settings.tokens)
    allowed = AllowedRecipients() if asks_for_token else anybody(settings).allowed_recipients
    return Principal(name="spool", scopes=frozenset({Scope.SEND}), allowed_recipients=allowed)


def _token(entry: TokenEntry, settings: Settings) -> Token:
    secret = settings.hmac_secrets.get(entry.name)
    principal = Principal(
        name=entry.name,
        scopes=entry.scopes,
        source=entry.source,
        allowed_recipients=AllowedRecipients.of(entry.allowed_recipients),
        fingerprint=bytes.fromhex(entry.sha256),
    )
    return Token(
        principal=principal, rate=entry.rate, hmac_secret=secret.get_secret_value().encode() if secret else b""
    )
