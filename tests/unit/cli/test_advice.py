"""For known troubles with relays `mailalert check` says what to do."""

from itertools import chain

import pytest

from app.cli.advice import for_fault, for_sender, for_settings
from app.delivery.opening import RelayFault
from app.domain.classify import LOGIN_CODES
from app.domain.errors import LoginUnavailable
from app.domain.outcome import Deferred, Refused, Reply, Scope, Sent
from app.domain.relay import Relay, parse_relay
from app.net.errors import ConnectFailed, StreamTimeout


def relay(url: str) -> Relay:
    """Return the relay of `url`, with a password if it has a user."""
    return parse_relay(url, password="secret" if "@" in url else "")


def advice(url: str, *, cause: Exception | None = None, reason: str = "", code: int | None = None) -> str:
    """Return what is said about a fault of the relay at `url`."""
    fault = RelayFault(relay(url), Deferred(Scope.RELAY, reason, Reply(code) if code else None))
    fault.__cause__ = cause
    return "\n".join(for_fault(relay(url), fault))


def test_port_25_may_be_blocked() -> None:
    """Clouds block it, so the other ports are named."""
    said = advice("smtp://mail.example.org", cause=ConnectFailed(), reason="no answer")
    assert "block port 25" in said
    assert "smtps://user@mail.example.org:465" in said


def test_a_relay_on_this_machine_that_is_not_there() -> None:
    """No cloud blocks port 25 of the machine itself."""
    said = advice("smtp://localhost", cause=ConnectFailed(), reason="no answer")
    assert "nothing listens on port 25" in said
    assert "block" not in said


def test_other_ports_point_to_the_firewall() -> None:
    """On the ports for clients a firewall is the likely cause."""
    assert "firewall" in advice("smtps://mail.example.org", cause=ConnectFailed(), reason="no answer")


def test_a_name_that_does_not_resolve_points_to_the_dns() -> None:
    """A misspelt host name is no matter of ports."""
    said = advice("smtp://mail.exmaple.org", cause=ConnectFailed(), reason="the name does not resolve")
    assert "host name mail.exmaple.org" in said
    assert "port" not in said


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("smtp.qq.com", "授权码"),
        ("smtp.exmail.qq.com", "QQ Mail"),
        ("smtp.163.com", "NetEase"),
        ("smtp.gmail.com", "app password"),
        ("smtp.mail.me.com", "iCloud"),
        ("smtp-mail.outlook.com", "no passwords"),
        ("smtp.office365.com", "SMTP AUTH"),
        ("notqq.com", "authorisation code"),
        ("mail.example.org", "app password"),
    ],
)
def test_a_refused_login_names_what_the_provider_wants(host: str, said: str) -> None:
    """Many providers take an authorisation code or an app password only."""
    assert said in advice(f"smtps://me%40{host}@{host}", code=535)


def test_a_provider_is_known_by_its_domain_only() -> None:
    """A host whose name merely ends alike gets the general advice."""
    assert "QQ" not in advice("smtps://me%40notqq.com@notqq.com", code=535)


def test_a_user_without_domain_is_pointed_out() -> None:
    """Some relays want the whole address."""
    assert "whole address" in advice("smtps://alerts@mail.example.org", code=535)


@pytest.mark.parametrize("code", sorted(LOGIN_CODES))
def test_a_relay_that_wants_a_login_is_told_from_a_wrong_password(code: int) -> None:
    """Without a user there is none to be wrong, whichever of these codes it says."""
    assert "put user@ into the relay's URL" in advice("smtp+starttls://mail.example.org", code=code)


def test_a_refused_token_is_told_from_a_wrong_password() -> None:
    """Who logs in by a token needs no app password."""
    by_token = parse_relay("smtp+starttls://me%40example.org@smtp.office365.com")
    fault = RelayFault(by_token, Deferred(Scope.CONFIGURATION, "refused", Reply(535)))
    said = "\n".join(for_fault(by_token, fault))
    assert "SMTP.SendAsApp" in said
    assert "password" not in said


@pytest.mark.parametrize(
    ("is_configuration", "said"), [(True, "mend the file or the token server's settings"), (False, "can reach it")]
)
def test_a_login_that_cannot_be_had_is_no_fault_of_the_relay(is_configuration: bool, said: str) -> None:
    """The token server or a file is to be looked at."""
    assert said in advice("smtps://u@h", cause=LoginUnavailable("gone", is_configuration=is_configuration))


@pytest.mark.parametrize(
    ("url", "cause", "said"),
    [
        ("smtp+starttls://u@h:465", StreamTimeout(), "smtps://h:465"),
        ("smtps://u@h:587", None, "smtp+starttls://h:587"),
    ],
)
def test_a_port_that_speaks_otherwise_names_the_right_scheme(url: str, cause: Exception | None, said: str) -> None:
    """TLS from the first byte and STARTTLS are easily mixed up."""
    assert said in advice(url, cause=cause)


def test_a_sender_that_is_not_the_account_is_pointed_out() -> None:
    """Free providers refuse any other sender."""
    account = relay("smtps://me%40qq.com@smtp.qq.com")
    refused = [Refused(Scope.MESSAGE, "refused", Reply(501))]
    assert "set mail_from to me@qq.com" in "\n".join(for_sender(account, "alerts@example.org", refused))
    assert list(for_sender(account, "ME@qq.com", refused)) == []
    assert list(for_sender(account, "alerts@example.org", [Sent(Reply(250))])) == []


@pytest.mark.parametrize(
    ("helo_name", "sender", "said"),
    [
        ("db1", "me@qq.com", "bare host name"),
        ("db1.example.org", "me@qq.com", ""),
        ("[192.0.2.1]", "me@qq.com", ""),
        (None, "me@qq.com", ""),
        (None, "other@example.org", "many providers want them to be the same"),
    ],
)
def test_doubtful_settings_are_pointed_out_first(helo_name: str | None, sender: str, said: str) -> None:
    """What many relays refuse is told before one does."""
    notes = list(for_settings(relay("smtps://me%40qq.com@smtp.qq.com"), helo_name, sender))
    assert (said in "".join(notes)) if said else notes == []


def test_no_advice_shows_the_password() -> None:
    """Advice may name the account, never its password."""
    account = parse_relay("smtps://me:canary-1@h")
    fault = RelayFault(account, Deferred(Scope.CONFIGURATION, "refused", Reply(535)))
    told = chain(
        for_fault(account, fault),
        for_sender(account, "a@b.c", [Refused(Scope.MESSAGE, "", Reply(550))]),
        for_settings(account, None, "a@b.c"),
    )
    assert "canary" not in "".join(told)
