"""Whom a sender may address: no more people than its token names."""

from app.domain.access import AllowedRecipients, Principal
from app.domain.address import Mailbox
from app.domain.alert import Alert
from app.intake.addressing import NOT_ALLOWED, addressed
from app.intake.incoming import Reading

OPS, BOSS = Mailbox("Ops@Example.org"), Mailbox("boss@example.net")
PRINCIPAL = Principal(source="cron", allowed_recipients=AllowedRecipients.of(["@example.org", "dba@example.net"]))


def test_people_whom_the_token_names_get_the_alert() -> None:
    """An address of an allowed domain, in any case, is reached and nobody else."""
    reading = addressed(Reading((Alert(subject="x", to=(OPS,)),)), PRINCIPAL)
    (alert,) = reading.alerts
    assert (alert.to, alert.also_routed, reading.warnings) == ((OPS,), False, ())


def test_anybody_else_is_left_out_and_the_receivers_are_told_instead() -> None:
    """This is no open relay, and the alert is not lost."""
    reading = addressed(Reading((Alert(subject="x", to=(OPS, BOSS)),)), PRINCIPAL)
    (alert,) = reading.alerts
    assert (alert.to, alert.also_routed, reading.warnings) == ((OPS,), True, (NOT_ALLOWED,))


def test_without_a_list_nobody_may_be_addressed() -> None:
    """The default names no one."""
    (alert,) = addressed(Reading((Alert(subject="x", to=(OPS,)),)), Principal()).alerts
    assert (alert.to, alert.also_routed) == ((), True)


def test_a_source_that_is_missing_is_that_of_the_token() -> None:
    """One that is given stays."""
    alerts = (Alert(subject="x"), Alert(subject="y", source="own"))
    assert [alert.source for alert in addressed(Reading(alerts), PRINCIPAL).alerts] == ["cron", "own"]


def test_the_url_chooses_receivers() -> None:
    """A webhook of a team goes to the team."""
    (alert,) = addressed(Reading((Alert(subject="x"),)), Principal(), ["dba"]).alerts
    assert alert.receivers == ("dba",)


def test_an_alert_without_wishes_is_not_touched() -> None:
    """The usual post costs nothing here."""
    reading = Reading((Alert(subject="x"),))
    assert addressed(reading, Principal()) is reading


def test_names_of_people_are_left_out() -> None:
    """Each list of people is kept for good: a name for every alert would make any number of them."""
    (alert,) = addressed(Reading((Alert(subject="x", to=(Mailbox("ops@example.org", "Job 4711"),)),)), PRINCIPAL).alerts
    assert alert.to == (Mailbox("ops@example.org"),)
