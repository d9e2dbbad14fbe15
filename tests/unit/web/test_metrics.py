"""`/metrics`: what `/healthz` tells, in numbers, by the rules of Prometheus."""

import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.domain.access import Scope
from app.domain.vitals import Vitals
from app.httpkit.scopes import needed_scope
from tests.support.clock import NOW
from tests.support.requirements import require
from tests.support.vitals import ARRIVED, DOWN, MISSING, READ, UNREAD, WELL, WORKS
from tests.support.web_site import Site

MINUTE = timedelta(minutes=1)
FULL = replace(
    WELL,
    relays=(WORKS, DOWN),
    queue_depth=3,
    oldest_open_at=NOW - MINUTE,
    possibly_twice=2,
    mailbox=READ,
    probes=(ARRIVED, MISSING),
)


async def samples(site: Site, vitals: Vitals) -> dict[str, float]:
    """Return the value of each sample, by its name and labels as queries write them."""
    site.vitals = vitals
    text = (await site.get("/metrics")).body.decode()
    return {
        sample.name.removeprefix("mailalert_")
        + "".join(f"{{{key}={value}}}" for key, value in sample.labels.items()): (sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_all_is_told_in_numbers(site: Site) -> None:
    """Each vital sign has its sample."""
    assert await samples(site, FULL) == {
        "build_info{version=1.2.3}": 1,
        "journal_writable": 1,
        "queue_depth": 3,
        "oldest_unsent_age_seconds": 60,
        "possibly_twice_mails": 2,
        "relay_usable{relay=mx2}": 1,
        "relay_usable{relay=mx3}": 0,
        "intake_events_total{event=not_understood}": 3,
        "mailbox_readable": 1,
        "mailbox_last_poll_timestamp_seconds": NOW.timestamp() - 12,
        "mailbox_mails_read_total": 7,
        "mailbox_mails_set_aside_total": 1,
        "probe_round_trip_seconds{relay=mx1}": 2.75049,
        "probe_missing{relay=mx1}": 0,
        "probe_missing{relay=mx2}": 1,
        "probe_last_arrival_timestamp_seconds{relay=mx1}": NOW.timestamp() - 312,
    }


async def test_without_a_mailbox_nothing_is_told_of_one(site: Site) -> None:
    """A zero would look like a mailbox that cannot be read."""
    told = await samples(site, WELL)
    assert told
    assert not [name for name in told if name.startswith(("mailbox", "probe"))]


@pytest.mark.parametrize(
    ("vitals", "name", "value"),
    [
        (WELL, "oldest_unsent_age_seconds", 0),
        (replace(WELL, queue_depth=1), "oldest_unsent_age_seconds", None),
        (replace(WELL, queue_depth=1, oldest_open_at=NOW + MINUTE), "oldest_unsent_age_seconds", 0),
        (replace(WELL, journal_fault="disk full"), "journal_writable", 0),
        (replace(WELL, mailbox=UNREAD), "mailbox_readable", 0),
        (replace(WELL, mailbox=UNREAD), "mailbox_last_poll_timestamp_seconds", None),
    ],
    ids=["none waits", "not looked yet", "clock stepped back", "disk full", "mailbox unread", "never polled"],
)
async def test_what_is_not_known_has_no_sample(site: Site, vitals: Vitals, name: str, value: float | None) -> None:
    """And what is well or unwell has a number that a rule can compare."""
    assert (await samples(site, vitals)).get(name) == value


async def test_promtool_has_no_complaint(site: Site) -> None:
    """Names, units and help texts are as Prometheus wants them."""
    promtool = require("promtool")
    site.vitals = FULL
    text = (await site.get("/metrics")).body
    run = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=60, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


async def test_the_answer_is_in_the_format_that_every_prometheus_reads(site: Site) -> None:
    """And no proxy keeps it."""
    answer = await site.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


def test_the_document_describes_it_as_text(site: Site) -> None:
    """It is the one answer that is no JSON."""
    answer = site.document["paths"]["/metrics"]["get"]["responses"]["200"]
    assert set(answer["content"]) == {"text/plain"}
    assert "mailalert_queue_depth" in answer["content"]["text/plain"]["example"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_it_takes_the_scope_read(method: str) -> None:
    """What a token to send opens does not tell how the daemon is."""
    assert needed_scope(method, "/metrics") is Scope.READ
