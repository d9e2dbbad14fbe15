"""Who may send by SMTP, as the settings say it."""

from app.settings.smtp_intake import SmtpIntakeSettings
from app.wiring.smtp_intake import access_of


def test_on_loopback_everybody_may_send() -> None:
    """Whoever is on this machine."""
    assert access_of(SmtpIntakeSettings(enabled=True), None).is_open_to("127.0.0.1")


def test_where_a_login_is_asked_for_nobody_sends_without() -> None:
    """Not even from this machine."""
    assert not access_of(SmtpIntakeSettings(enabled=True, require_auth=True), None).is_open_to("127.0.0.1")


def test_only_the_networks_that_are_named_may_send() -> None:
    """This machine too has to be named then: others may be behind a proxy on it."""
    access = access_of(SmtpIntakeSettings(enabled=True, host="0.0.0.0", allow_from="10.0.0.5/8, 192.0.2.1"), None)
    assert access.is_open_to("10.9.9.9")
    assert access.is_open_to("192.0.2.1")
    assert not access.is_open_to("127.0.0.1")
