"""How the parts may be: a daemon in which all is well, and relays with something to tell."""

from datetime import timedelta

from app.domain.vitals import RelayVitals, Vitals

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
