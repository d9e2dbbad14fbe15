"""`[smtp_intake]`: off unless it is turned on, and never open to strangers by mistake."""

import json
from pathlib import Path

import pytest

from app.domain.errors import ConfigurationError
from app.settings.load import load_settings
from app.settings.smtp_intake import SmtpIntakeSettings, server_tls
from tests.support.certificates import Authority, authority

__all__ = ["authority"]
ON = {"MAILALERT_SMTP_INTAKE__ENABLED": "true"}
ELSEWHERE = ON | {"MAILALERT_SMTP_INTAKE__HOST": "0.0.0.0"}
TOKEN = {"MAILALERT_HTTP__TOKEN": "a-token-of-these-tests"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where no ./config/mailalert.toml is."""
    monkeypatch.chdir(tmp_path)


def load(environ: dict[str, str]) -> SmtpIntakeSettings:
    return load_settings(config=None, sandbox=True, environ=environ).smtp_intake


def complaint(environ: dict[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(environ)
    return str(caught.value)


def certificate(authority: Authority) -> dict[str, str]:
    file, key = authority.certificate_files()
    return {"MAILALERT_SMTP_INTAKE__TLS_CERTIFICATE": str(file), "MAILALERT_SMTP_INTAKE__TLS_KEY": str(key)}


def test_it_is_off_by_default() -> None:
    """And once on, it listens on this machine's own address, to everybody there."""
    smtp = load({})
    assert (smtp.enabled, smtp.host, smtp.port, smtp.is_open) == (False, "127.0.0.1", 2525, True)


def test_another_address_needs_a_guard() -> None:
    """The complaint says which ones there are."""
    said = complaint(ELSEWHERE)
    assert said.startswith("smtp_intake.host: 0.0.0.0 can be reached from other machines")
    assert "smtp_intake.allow_from" in said


@pytest.mark.parametrize("more", [TOKEN, {}], ids=["token", "nothing"])
def test_a_token_without_tls_is_no_guard(more: dict[str, str]) -> None:
    """A password is never taken in plain text from elsewhere, so nobody could log in."""
    assert "tls_certificate" in complaint(ELSEWHERE | more)


def test_tls_without_a_token_is_no_guard(authority: Authority) -> None:
    """It keeps secrets, and keeps nobody out."""
    assert "a token" in complaint(ELSEWHERE | certificate(authority))


def test_logins_over_tls_are_a_guard(authority: Authority) -> None:
    """Then nobody sends without one."""
    smtp = load(ELSEWHERE | TOKEN | certificate(authority))
    assert not smtp.is_open
    assert server_tls(smtp) is not None


def test_networks_are_a_guard() -> None:
    """Those that are named may send."""
    smtp = load(ELSEWHERE | {"MAILALERT_SMTP_INTAKE__ALLOW_FROM": "10.0.0.0/8; 127.0.0.1"})
    assert (smtp.allow_from, smtp.is_open) == (("10.0.0.0/8", "127.0.0.1"), False)


def test_a_login_that_is_asked_for_needs_a_token() -> None:
    """Else nobody could send."""
    asked = ON | {"MAILALERT_SMTP_INTAKE__REQUIRE_AUTH": "true"}
    assert complaint(asked).startswith("smtp_intake.require_auth: there is no token")
    assert not load(asked | TOKEN).is_open


READER = {"MAILALERT_TOKENS": json.dumps([{"name": "r", "sha256": "0" * 64, "scopes": ["read", "manage"]}])}
SENDER = {"MAILALERT_TOKENS": json.dumps([{"name": "s", "sha256": "0" * 64}])}


def test_a_token_that_may_not_send_is_none_to_log_in_with(authority: Authority) -> None:
    """Neither where a login is asked for, nor where it is the only guard."""
    asked = ON | {"MAILALERT_SMTP_INTAKE__REQUIRE_AUTH": "true"}
    assert "none with the scope send" in complaint(asked | READER)
    assert "a token with the scope send" in complaint(ELSEWHERE | READER | certificate(authority))
    assert not load(asked | SENDER).is_open
    assert load(ELSEWHERE | SENDER | certificate(authority)).enabled


def test_a_key_needs_its_certificate(tmp_path: Path) -> None:
    """One without the other is a mistake."""
    said = complaint(ON | {"MAILALERT_SMTP_INTAKE__TLS_KEY": str(tmp_path / "key")})
    assert said.startswith("smtp_intake.tls_key: is there without tls_certificate")


def test_a_certificate_of_no_use_stops_the_start(tmp_path: Path) -> None:
    """Better now than at the first STARTTLS."""
    said = complaint(ON | {"MAILALERT_SMTP_INTAKE__TLS_CERTIFICATE": str(tmp_path / "tls.pem")})
    assert said.startswith("smtp_intake.tls_certificate: ")


def test_nothing_is_asked_for_while_it_is_off() -> None:
    """Settings may be prepared."""
    assert load({"MAILALERT_SMTP_INTAKE__HOST": "0.0.0.0"}).host == "0.0.0.0"
