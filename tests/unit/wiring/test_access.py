"""Who the settings let in."""

import json
from hashlib import sha256
from hmac import new as hmac
from pathlib import Path

import pytest

from app.domain.access import ALL_SCOPES, Scope
from app.domain.address import Mailbox
from app.settings.load import load_settings
from app.settings.model import Settings
from app.wiring.access import access_control, anybody, spool_principal, token_table
from tests.support.clock import NOW, FakeClock

TABLES = [
    {
        "name": "grafana",
        "sha256": sha256(b"of-grafana").hexdigest(),
        "scopes": ["send", "read"],
        "source": "grafana.example.org",
        "rate": "10/m",
        "allowed_recipients": ["dev.example.org"],
    }
]
ALLOWED = Mailbox("oncall@example.org")


def load(**environ: str) -> Settings:
    given = {f"MAILALERT_{name.upper()}": value for name, value in environ.items()}
    return load_settings(config=None, sandbox=True, environ=given)


def test_the_short_form_opens_everything() -> None:
    """http.token is one token with all scopes, and the recipients of its section."""
    table = token_table(load(http__token="t0ken", http__allowed_recipients="oncall@example.org"))
    principal = table.by_credential(b"t0ken")
    assert principal is not None
    assert (principal.name, principal.scopes) == ("http.token", ALL_SCOPES)
    assert principal.allowed_recipients.include(ALLOWED)


def test_a_table_opens_what_it_says() -> None:
    """Each column reaches the one who decides by it."""
    table = token_table(load(tokens=json.dumps(TABLES), http__allowed_recipients="oncall@example.org"))
    principal = table.by_credential(b"of-grafana")
    assert principal is not None
    assert (principal.name, principal.source) == ("grafana", "grafana.example.org")
    assert principal.scopes == {Scope.SEND, Scope.READ}
    assert principal.allowed_recipients.include(Mailbox("a@dev.example.org"))
    assert not principal.allowed_recipients.include(ALLOWED)
    assert [rate.count for rate in table.rates.values()] == [10]


def test_a_secret_signs_for_its_token(tmp_path: Path) -> None:
    """What is in the file is what the body is signed with."""
    file = tmp_path / "secret"
    file.touch(0o600)
    file.write_text("s3cret-of-a-signer\n")
    table = token_table(load(tokens=json.dumps([TABLES[0] | {"hmac_secret_file": str(file)}])))
    signature = {b"sentry-hook-signature": hmac(b"s3cret-of-a-signer", b"{}", "sha256").hexdigest().encode()}
    principal = table.by_signature(signature, b"{}", NOW)
    assert principal is not None
    assert principal.name == "grafana"


@pytest.mark.parametrize(
    ("settings", "asks"),
    [({}, False), ({"http__token": "t0ken"}, True), ({"tokens": json.dumps(TABLES)}, True)],
    ids=["none", "short form", "tables"],
)
def test_a_token_is_asked_for_if_there_is_one(settings: dict[str, str], asks: bool) -> None:
    """Of either kind."""
    assert access_control(load(**settings), FakeClock()).asks_for_token is asks


def test_who_shows_no_token_has_the_recipients_of_the_door() -> None:
    """http.allowed_recipients holds where no token is asked for, and then for what lies in the spool."""
    settings = load(http__allowed_recipients="oncall@example.org")
    assert anybody(settings).allowed_recipients.include(ALLOWED)
    assert anybody(settings).scopes == ALL_SCOPES
    assert spool_principal(settings).allowed_recipients.include(ALLOWED)
    assert spool_principal(settings).scopes == {Scope.SEND}


@pytest.mark.parametrize(
    "token", [{"http__token": "a-t0ken-of-this-test"}, {"tokens": json.dumps(TABLES)}], ids=["short form", "tables"]
)
def test_the_spool_goes_round_no_token(token: dict[str, str]) -> None:
    """Anybody of this machine may write there, and a file proves no token: it addresses nobody."""
    settings = load(http__allowed_recipients="oncall@example.org", **token)
    assert not spool_principal(settings).allowed_recipients.include(ALLOWED)
