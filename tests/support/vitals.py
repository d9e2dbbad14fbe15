"""How the parts may be: a daemon in which all is well, and relays, a mailbox and probes with something to tell."""

from datetime import timedelta

from app.domain.vitals import MailboxVitals, ProbeVitals, RelayVitals, Vitals

WELL = Vitals(
    closing=False,
    journal_fault="",
    relay_fault="",
    relays=(),
    queue_fault="",
    blocked_for=timedelta(),
    queue_depth=0,
    oldest_open_at=None,
    possibly_twice=0,
)
WORKS = RelayVitals(name="mx2", usable=True)
NO_LOGIN = RelayVitals(name="mx1", usable=False, reason="the relay refused the login (535)", is_configuration=True)
DOWN = RelayVitals(name="mx3", usable=False, reason="cannot connect")
READ = MailboxVitals(
    name="imap:alerts@mail.example.org", is_readable=True, last_poll_age=timedelta(seconds=12), read=7, set_aside=1
)
UNREAD = MailboxVitals(
    name="imap:alerts@mail.example.org",
    is_readable=False,
    reason="it refuses the password",
    failing_for=timedelta(minutes=5),
)
ARRIVED = ProbeVitals(relay="mx1", round_trip_s=2.75049, last_arrival_age=timedelta(seconds=312))
MISSING = ProbeVitals(relay="mx2", is_missing=True)
