"""`GET /metrics`: the vitals in the text format of Prometheus. Reads memory only."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from app.domain.vitals import MailboxVitals, ProbeVitals, Vitals
from app.web.health import HealthCheck

PREFIX = "mailalert_"
Sample = tuple[str, float | None]  # the value of a label, and a number; None if there is none yet
EXAMPLE = """\
# HELP mailalert_queue_depth Mails that wait to be sent.
# TYPE mailalert_queue_depth gauge
mailalert_queue_depth 0.0
# HELP mailalert_relay_usable Whether mail can leave over the relay.
# TYPE mailalert_relay_usable gauge
mailalert_relay_usable{relay="mx1"} 1.0
# HELP mailalert_probe_round_trip_seconds How long the last probe that arrived was under way.
# TYPE mailalert_probe_round_trip_seconds gauge
mailalert_probe_round_trip_seconds{relay="mx1"} 2.75
"""
DESCRIPTION: dict[str, Any] = {
    "description": "Done",
    "content": {"text/plain": {"schema": {"type": "string"}, "example": EXAMPLE}},
}


class VitalsCollector(Collector):
    """Tells the vitals of the moment in which it is asked.

    Names are by Prometheus' conventions: base units, `_total` behind what only grows, and the Unix time of what has
    happened rather than its age. What is not known has no sample.
    """

    def __init__(self, check: HealthCheck) -> None:
        self._check = check

    def collect(self) -> Iterator[Metric]:
        """Yield what there is to tell."""
        vitals = self._check.vitals()
        yield _gauges("build_info", "The version that runs.", "version", [(self._check.version, 1)])
        yield from self._mail(vitals)
        counts = CounterMetricFamily(f"{PREFIX}intake_events", "What the intake met since the start.", labels=["event"])
        for event, count in self._check.counts().items():
            counts.add_metric([event], count)
        yield counts
        if vitals.mailbox:
            yield from self._mailbox(vitals.mailbox)
        if vitals.probes:
            yield from self._probes(vitals.probes)

    def _mail(self, vitals: Vitals) -> Iterator[Metric]:
        yield _gauge("journal_writable", "Whether alerts can be accepted durably.", not vitals.journal_fault)
        yield _gauge("queue_depth", "Mails that wait to be sent.", vitals.queue_depth)
        yield _gauge(
            "oldest_unsent_age_seconds",
            "For how long the oldest of them waits; 0 for none.",
            self._oldest_age_s(vitals),
        )
        yield _gauge(
            "possibly_twice_mails",
            "Mails that may come twice: the run before ended in their midst.",
            vitals.possibly_twice,
        )
        usable = [(relay.name, float(relay.usable)) for relay in vitals.relays]
        yield _gauges("relay_usable", "Whether mail can leave over the relay.", "relay", usable)

    def _mailbox(self, mailbox: MailboxVitals) -> Iterator[Metric]:
        yield _gauge("mailbox_readable", "Whether the mailbox can be read.", mailbox.is_readable)
        yield _gauge(
            "mailbox_last_poll_timestamp_seconds",
            "When it was last looked into with success.",
            self._unix_time(mailbox.last_poll_age),
        )
        yield CounterMetricFamily(
            f"{PREFIX}mailbox_mails_read", "Mails of it that were read since the start.", mailbox.read
        )
        yield CounterMetricFamily(
            f"{PREFIX}mailbox_mails_set_aside", "Mails of it that cannot be read, since the start.", mailbox.set_aside
        )

    def _probes(self, probes: tuple[ProbeVitals, ...]) -> Iterator[Metric]:
        yield _gauges(
            "probe_round_trip_seconds",
            "How long the last probe that arrived was under way.",
            "relay",
            [(probe.relay, probe.round_trip_s) for probe in probes],
        )
        missing = [(probe.relay, float(probe.is_missing)) for probe in probes]
        yield _gauges("probe_missing", "Whether a probe is overdue.", "relay", missing)
        arrivals = [(probe.relay, self._unix_time(probe.last_arrival_age)) for probe in probes]
        yield _gauges("probe_last_arrival_timestamp_seconds", "When the last probe arrived.", "relay", arrivals)

    def _oldest_age_s(self, vitals: Vitals) -> float | None:
        """Return it, None if mail waits and nobody has looked yet since when."""
        if not vitals.queue_depth:
            return 0
        oldest = vitals.oldest_open_at
        # A clock that was set back makes no age negative.
        return max(0, (self._check.clock.now() - oldest).total_seconds()) if oldest else None

    def _unix_time(self, age: timedelta | None) -> float | None:
        return None if age is None else (self._check.clock.now() - age).timestamp()


def metrics_router(check: HealthCheck) -> APIRouter:
    """Return the route, which tells in numbers what `/healthz` tells of the same `check`. It takes the scope read."""
    registry = CollectorRegistry()  # of its own: that of the process holds whatever libraries put there
    registry.register(VitalsCollector(check))
    router = APIRouter()

    @router.get(
        "/metrics",
        tags=["health"],
        summary="The same in numbers, for Prometheus",
        response_class=PlainTextResponse,
        responses={200: DESCRIPTION},
    )
    async def metrics() -> Response:
        # The oldest version: every Prometheus reads it, and nothing here needs a newer one.
        return Response(
            generate_latest(registry),
            headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"},
        )

    return router


def _gauge(name: str, what: str, value: float | None) -> Metric:
    return GaugeMetricFamily(PREFIX + name, what, value)


def _gauges(name: str, what: str, label: str, samples: Iterable[Sample]) -> Metric:
    metric = GaugeMetricFamily(PREFIX + name, what, labels=[label])
    for whose, value in samples:
        if value is not None:
            metric.add_metric([whose], value)
    return metric
