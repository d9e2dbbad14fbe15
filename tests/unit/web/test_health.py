"""`/healthz`: true, quick to read, and silent towards strangers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.vitals import Vitals
from tests.support.clock import NOW
from tests.support.vitals import ARRIVED, DOWN, MISSING, NO_LOGIN, READ, UNREAD, WELL, WORKS
from tests.support.web_site import Site

MINUTE = timedelta(minutes=1)
BLOCKED = replace(WELL, relay_fault="the relay refuses connections", blocked_for=5 * MINUTE, queue_depth=3)

CODES = {
    "all is well": (WELL, "ok", 200),
    "mail cannot leave": (BLOCKED, "degraded", 200),
    "journal out of order": (replace(WELL, journal_fault="disk full"), "unavailable", 503),
    "shutting down": (replace(WELL, closing=True), "closing", 503),
}


@pytest.mark.parametrize(("vitals", "status", "code"), CODES.values(), ids=CODES.keys())
async def test_the_status_says_whether_alerts_are_taken(site: Site, vitals: Vitals, status: str, code: int) -> None:
    """200 while alerts are accepted durably, also if mail cannot leave; else 503."""
    site.vitals = vitals
    answer = await site.get("/healthz")
    assert (answer.json["status"], answer.status) == (status, code)


async def test_a_stranger_sees_only_the_status(site: Site) -> None:
    """An outside watcher needs no token, and learns nothing else."""
    site.vitals = replace(BLOCKED, journal_fault="disk full")
    assert (await site.get("/healthz", authenticated=False)).json == {"status": "unavailable"}


async def test_whoever_may_read_sees_the_details(site: Site) -> None:
    """Version, uptime, queue depth, the age of the oldest unsent mail, and what an unclean end may have doubled."""
    site.vitals = replace(WELL, queue_depth=3, oldest_open_at=NOW - MINUTE, possibly_twice=2)
    site.clock.pass_time(MINUTE)
    assert (await site.get("/healthz")).json == {
        "status": "ok",
        "version": "1.2.3",
        "uptime_seconds": 60,
        "queue_depth": 3,
        "oldest_unsent_age_seconds": 120,
        "possibly_twice": 2,
        "since_start": {"not_understood": 3},
        "relays": [],
    }


async def test_each_relay_is_told_with_what_ails_it(site: Site) -> None:
    """Which of them works, and whether waiting helps with the others."""
    site.vitals = replace(WELL, relays=(NO_LOGIN, WORKS, DOWN))
    assert (await site.get("/healthz")).json["relays"] == [
        {"name": "mx1", "state": "misconfigured", "reason": "the relay refused the login (535)"},
        {"name": "mx2", "state": "usable"},
        {"name": "mx3", "state": "unusable", "reason": "cannot connect"},
    ]


async def test_the_mailbox_is_told_with_what_was_read(site: Site) -> None:
    """Only where one is set up: without it the field is not there."""
    site.vitals = replace(WELL, mailbox=READ)
    assert (await site.get("/healthz")).json["mailbox"] == {
        "name": "imap:alerts@mail.example.org",
        "readable": True,
        "last_poll_age_seconds": 12,
        "read": 7,
        "set_aside": 1,
    }


async def test_a_mailbox_that_cannot_be_read_says_why_and_since_when(site: Site) -> None:
    """An age that nobody knows is null."""
    site.vitals = replace(WELL, mailbox=UNREAD)
    body = (await site.get("/healthz")).json
    assert body["status"] == "degraded"
    assert body["mailbox"] == {
        "name": "imap:alerts@mail.example.org",
        "readable": False,
        "last_poll_age_seconds": None,
        "read": 0,
        "set_aside": 0,
        "reason": "it refuses the password",
        "failing_seconds": 300,
    }


async def test_the_probes_of_each_relay_are_told(site: Site) -> None:
    """How long the last one took, how long ago that was, and whether one is missing."""
    site.vitals = replace(WELL, probes=(ARRIVED, MISSING))
    assert (await site.get("/healthz")).json["probes"] == [
        {"relay": "mx1", "round_trip_seconds": 2.75, "missing": False, "last_arrival_age_seconds": 312},
        {"relay": "mx2", "round_trip_seconds": None, "missing": True, "last_arrival_age_seconds": None},
    ]


@pytest.mark.parametrize(
    ("vitals", "age"),
    [
        (replace(WELL, oldest_open_at=NOW), None),
        (replace(WELL, queue_depth=1), None),
        (replace(WELL, queue_depth=1, oldest_open_at=NOW + MINUTE), 0),
    ],
    ids=["just sent", "not looked yet", "the clock stepped back"],
)
async def test_the_age_of_the_oldest_mail_makes_sense(site: Site, vitals: Vitals, age: int | None) -> None:
    """It is never negative, and there is none without a mail."""
    site.vitals = vitals
    assert (await site.get("/healthz")).json["oldest_unsent_age_seconds"] == age


async def test_the_details_name_what_is_wrong(site: Site) -> None:
    """The reason is there, and since when."""
    site.vitals = replace(BLOCKED, journal_fault="disk full")
    body = (await site.get("/healthz")).json
    assert (body["journal"], body["relay"]) == ("disk full", "the relay refuses connections")
    assert body["blocked_seconds"] == 300


async def test_health_is_never_cached(site: Site) -> None:
    """A proxy must not answer for a daemon that is gone."""
    assert (await site.get("/healthz")).headers["cache-control"] == "no-store"
