"""Every body that a monitoring tool sends, posted as the tool posts it to a running daemon: the mail that comes out.

The table is written from what a person on call wants to read, by somebody who looked at the bodies alone.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.background_relay import background_relay
from tests.support.daemon import Daemon, mail_settings
from tests.support.mail_trail import Mailed, MailTrail
from tests.support.multipart_body import CONTENT_TYPE, body_of, part
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.tool_payloads import PAYLOADS, document, names

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}  # what curl says of everything that comes by -d
TWIN = "-resolved"
SHOWN_HOST = "mon1"
ONE_SHOT = ("", "")  # neither status nor key


@dataclass(frozen=True)
class Expected:
    """What the mail has to say. `status` is "" for what has none to follow; `says` are words of its text."""

    subject: str
    severity: str
    status: str
    key: str
    says: tuple[str, ...] = ()

    @property
    def subject_line(self) -> str:
        """The Subject, with the name of the server and the word for what is over."""
        return f"[{SHOWN_HOST}] {'Resolved: ' if self.status == 'resolved' else ''}{self.subject}"


FIRING = {
    "alerta": Expected(
        "DiskFull on db1", "critical", "firing", "alerta/Production/db1/DiskFull", ("/var is 97% full",)
    ),
    "alertmanager-webhook-v4": Expected(
        "Disk 97% full on db1",
        "critical",
        "firing",
        "alertmanager/9f86d081884c7d65",
        ("instance = db1:9100", "https://runbooks.example.com/disk", "http://prom.example.com:9090/graph?g0.expr=x"),
    ),
    "cloudevents": Expected(
        "db1: disk full",
        "critical",
        "firing",
        "cloudevents//prom/a/com.example.alert/db1",
        ("Starts:   2026-11-22 21:00:00 UTC", "/prom/a"),
    ),
    "datadog": Expected("disk on db1", "critical", "firing", "datadog/1234/db1", ("disk > 90%", "env = prod")),
    "goalert": Expected("Disk full on db1", "warning", "firing", "goalert/disk-db1", ("/var is 97% full",)),
    "grafana-webhook": Expected(
        "mem high",
        "warning",
        "firing",
        "grafana/c6eadffa33fcdf37",
        ("alertname = High memory", "B = 44.2", "https://grafana.example.com/alerting/silence/new"),
    ),
    "healthchecks": Expected(
        "nightly backup is down",
        "error",
        "firing",
        "healthchecks/5e3bd0a5-1b3c-4e0f-9a60-6f2c1f5d0c11",
        ("Last ping: 2026-11-22", "prod db"),
    ),
    "icinga": Expected(
        "Disk on DB 1 is CRITICAL", "critical", "firing", "icinga/db1!disk", ("DISK CRITICAL - free 3%", "10.0.0.5")
    ),
    "icinga-host": Expected(
        "db1 is DOWN", "critical", "firing", "icinga/db1", ("PING CRITICAL - Packet loss = 100%", "10.0.0.5")
    ),
    "prometheus-api-v2-alerts": Expected(
        "web1 down",
        "critical",
        "firing",
        "prometheus/40e469dc1b29ffa3",
        ("job = node", "http://prom.example.com:9090/"),
    ),
    "sentry-issue": Expected(
        "ReferenceError: heck is not defined",
        "error",
        "firing",
        "sentry/issue/1117540176",
        ("https://sentry.example.com/organizations/acme/issues/1117540176/", "SHOP-12"),
    ),
    "sentry-metric-alert": Expected(
        "Too many errors", "critical", "firing", "sentry/metric/451", ("1000 events in the last 10 minutes",)
    ),
    "uptime-kuma": Expected(
        "web is down", "error", "firing", "uptime-kuma/3", ("connect ECONNREFUSED", "https://www.example.com")
    ),
    "zabbix": Expected(
        "Disk full on db1",
        "error",
        "firing",
        "zabbix/8123",
        ("Problem started at 21:00:00", "https://zabbix.example.com/tr_events.php?triggerid=23001&eventid=8123"),
    ),
}
# Subject, severity and key are those of the firing body, except where the tool no longer tells the severity.
RESOLVED_SAYS = {
    "alerta": ("/var is 71% full",),
    "alertmanager-webhook-v4": ("Ends:     2026-11-22 21:30:00 UTC",),
    "cloudevents": ("Ends:     2026-11-22 21:30:00 UTC",),
    "datadog": ("disk < 90%",),
    "goalert": ("/var is 97% full",),
    "grafana-webhook": ("Ends:     2026-11-22 20:30:00 UTC",),
    "healthchecks": ("Ends:     2026-11-23 02:10:00 UTC",),
    "icinga": ("DISK OK - free 40%", "Ends:     2026-11-22 21:30:00 UTC"),
    "icinga-host": ("PING OK - Packet loss = 0%",),
    "prometheus-api-v2-alerts": ("Ends:     2026-11-22 21:01:00 UTC",),
    "sentry-issue": ("SHOP-12",),
    "sentry-metric-alert": ("Ends:     2026-11-22 21:30:00 UTC",),
    "uptime-kuma": ("200 - OK", "Ends:     2026-11-22 21:05:00 UTC"),
    "zabbix": ("Problem has been resolved at 21:04:30",),
}
SEVERITY_AT_THE_END = {"sentry-metric-alert": "warning"}
ONE_SHOTS = {
    "apprise": Expected("Backup failed", "error", *ONE_SHOT, ("rsync exit 23", "ops")),
    "apprise-json": Expected("Backup failed", "warning", *ONE_SHOT, ("rsync exit 23",)),
    "gatus-custom": Expected(
        "core - website - health check failed - context deadline exceeded", "error", *ONE_SHOT, ("website",)
    ),
    "gotify": Expected("Backup failed", "error", *ONE_SHOT, ("rsync exit 23",)),
    "ntfy": Expected("Backup failed", "error", *ONE_SHOT, ("rsync exit 23", "https://backup.example.com")),
    "sentry-event-alert": Expected(
        "ReferenceError: heck is not defined",
        "error",
        *ONE_SHOT,
        ("Very Important Alert", "https://sentry.example.com/issues/1117540176/"),
    ),
    "slack-attachments": Expected(
        "[FIRING:1] DiskFull (db1)",
        "critical",
        *ONE_SHOT,
        ("is 97% full, see the runbook", "prod & staging", "https://runbooks.example.com/disk"),
    ),
    "slack-blocks": Expected(
        "Backup failed on db1",
        "warning",
        *ONE_SHOT,
        ("rsync exit 23", "Next try at 03:00", "https://backup.example.com/log"),
    ),
    "uptime-kuma-test": Expected("My Notification Testing", "info", *ONE_SHOT),
}


def resolved(name: str) -> Expected:
    """Return what the mail has to say once the trouble `name` is over."""
    firing = FIRING[name]
    severity = SEVERITY_AT_THE_END.get(name, firing.severity)
    return Expected(firing.subject, severity, "resolved", firing.key, RESOLVED_SAYS[name])


EXPECTED = FIRING | {name + TWIN: resolved(name) for name in FIRING} | ONE_SHOTS


@dataclass(frozen=True)
class Post:
    """One request of a tool."""

    body: str | bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    method: str = "POST"


def sentry(resource: str, request: str) -> dict[str, str]:
    """Return the header fields of a webhook of Sentry's, without the signature, which needs a secret."""
    return {**JSON, "Sentry-Hook-Resource": resource, "Sentry-Hook-Timestamp": "1795381577", "Request-ID": request}


# What else than JSON tools say of their bodies. curl, Gatus and Healthchecks send the text without a word about it.
HEADERS: Mapping[str, Mapping[str, str]] = {
    "alertmanager-webhook-v4": {**JSON, "User-Agent": "Alertmanager/0.28.1"},
    "apprise-json": {**JSON, "User-Agent": "Apprise"},
    "cloudevents": {"Content-Type": "application/cloudevents+json; charset=utf-8"},
    "datadog": {"Content-Type": "application/json; charset=utf-8"},
    "gatus-custom": {"User-Agent": "Gatus/1.0"},
    "healthchecks": {"User-Agent": "healthchecks.io"},
    "ntfy": FORM,
    "prometheus-api-v2-alerts": {**JSON, "User-Agent": "Prometheus/3.5.0"},
    "sentry-event-alert": sentry("event_alert", "1"),
    "sentry-issue": sentry("issue", "2"),
    "sentry-issue-resolved": sentry("issue", "3"),
    "sentry-metric-alert": sentry("metric_alert", "4"),
    "sentry-metric-alert-resolved": sentry("metric_alert", "5"),
}


def as_sent(name: str) -> Post:
    """Return the request with which the tool sends this body."""
    headers = HEADERS.get(name) or HEADERS.get(name.removesuffix(TWIN), JSON)
    text = (PAYLOADS / f"{name}.json").read_text()
    return Post(json.dumps(still_firing()) if name == "prometheus-api-v2-alerts" else text, headers)


def still_firing() -> list[dict[str, Any]]:
    """Return the body of Prometheus as of now: an alert that is there ends in the future."""
    (alert,) = document("prometheus-api-v2-alerts")
    return [alert | {"endsAt": (datetime.now(UTC) + timedelta(minutes=4)).isoformat()}]


@pytest.fixture(scope="module")
def relay() -> Iterator[ScriptedSmtp]:
    """A relay that takes everything."""
    with background_relay() as running:
        yield running


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, relay: ScriptedSmtp) -> Iterator[Daemon]:
    """A running daemon."""
    settings = mail_settings(relay.port, server_name=SHOWN_HOST)
    with Daemon(tmp_path_factory.mktemp("payloads") / "var", **settings) as running:
        yield running.start()


@pytest.fixture(scope="module")
def trail(daemon: Daemon, relay: ScriptedSmtp) -> MailTrail:
    """What finds the mails."""
    return MailTrail(daemon, relay)


def posted(daemon: Daemon, post: Post) -> Any:
    """Send it, and return the answer of a daemon that took it without a word of doubt."""
    answer = daemon.request(post.method, "/alerts", post.body, post.headers)
    assert answer.status == 202, answer.body
    assert "warnings" not in answer.json
    return answer.json


@pytest.fixture(scope="module")
def mailed(daemon: Daemon, trail: MailTrail) -> Mapping[str, Mailed]:
    """Every body there is, posted once, and what became of it."""
    answers = {name: posted(daemon, as_sent(name)) for name in names()}
    return {name: trail.follow_one(answer) for name, answer in answers.items()}


def test_no_body_is_forgotten() -> None:
    """Whoever adds a body says what its mail has to be."""
    assert sorted(EXPECTED) == names()


@pytest.mark.parametrize("name", EXPECTED)
def test_the_subject_says_what_is_wrong_and_whether_it_is_over(mailed: Mapping[str, Mailed], name: str) -> None:
    """It is what is read on a locked phone at night."""
    assert mailed[name].mail["Subject"] == EXPECTED[name].subject_line


@pytest.mark.parametrize("name", EXPECTED)
def test_the_mail_says_severity_status_and_key(mailed: Mapping[str, Mailed], name: str) -> None:
    """In its text, in the journal, and for critical ones in the header; a one-shot has no status and no key."""
    expected, found = EXPECTED[name], mailed[name]
    told = (expected.severity, expected.status, expected.key)
    assert tuple(map(found.says, ("Severity", "Status", "Key"))) == told
    assert (found.alert["severity"], found.alert["status"], found.alert["key"]) == (
        expected.severity,
        expected.status or "firing",
        expected.key,
    )
    assert (found.mail["Importance"] == "high") is (expected.severity == "critical")


@pytest.mark.parametrize("name", EXPECTED)
def test_the_text_holds_what_is_needed_to_act(mailed: Mapping[str, Mailed], name: str) -> None:
    """The tool's own words, what it is about, and the links back to it."""
    assert [words for words in EXPECTED[name].says if words not in mailed[name].text] == []


@pytest.mark.parametrize("name", FIRING)
def test_firing_and_resolved_are_one_thread(mailed: Mapping[str, Mailed], name: str) -> None:
    """They share key and labels in the journal, and the thread in the reader."""
    firing, over = mailed[name], mailed[name + TWIN]
    assert (firing.alert["key"], firing.alert["labels"]) == (over.alert["key"], over.alert["labels"])
    thread = firing.mail["References"]
    assert thread
    assert (over.mail["References"], over.mail["In-Reply-To"]) == (thread, thread)


def test_different_troubles_are_different_threads(mailed: Mapping[str, Mailed]) -> None:
    """No tool's alert slips into the thread of another."""
    assert len({mailed[name].mail["References"] for name in FIRING}) == len(FIRING)


@pytest.mark.parametrize("name", ONE_SHOTS)
def test_a_one_shot_belongs_to_no_thread(mailed: Mapping[str, Mailed], name: str) -> None:
    """What tells neither status nor key stands alone, with no labels that would give it an identity."""
    assert (mailed[name].mail["References"], mailed[name].alert["labels"]) == (None, {})


def test_a_file_in_the_body_is_attached(mailed: Mapping[str, Mailed]) -> None:
    """Apprise sends files as base64 in its JSON."""
    assert mailed["apprise-json"].files == {"backup.log": b"rsync: error\n"}


def form(name: str) -> str:
    """Return the fields of a body as a form."""
    return urlencode(document(name))


def event(number: str) -> dict[str, Any]:
    """Return the event with an id of its own: the same id is the same event."""
    fields = document("cloudevents")
    assert isinstance(fields, dict)
    return fields | {"id": number}


def binary(number: str) -> Post:
    """Return the event in the binary mode: attributes in the header, data in the body."""
    fields = event(number)
    data, kind = fields.pop("data"), fields.pop("datacontenttype")
    return Post(json.dumps(data), {"Content-Type": kind} | {f"ce-{name}": value for name, value in fields.items()})


BATCH = {"Content-Type": "application/cloudevents-batch+json"}
OTHER_WAYS = {
    "Apprise, form": ("apprise", Post(form("apprise"), FORM)),
    "CloudEvents, batch": ("cloudevents", Post(json.dumps([event("B1")]), BATCH)),
    "CloudEvents, binary": ("cloudevents", binary("B2")),
    "GoAlert, form": ("goalert-resolved", Post(form("goalert-resolved"), FORM)),
    "Gotify, form": ("gotify", Post(form("gotify"), FORM)),
    "Gotify, multipart": (
        "gotify",
        Post(
            body_of(part(f'name="{name}"', str(value).encode()) for name, value in document("gotify").items()),
            {"Content-Type": CONTENT_TYPE},
        ),
    ),
    "Grafana, PUT": ("grafana-webhook", Post(json.dumps(document("grafana-webhook")), JSON, "PUT")),
    "Healthchecks, PUT": ("healthchecks", Post(json.dumps(document("healthchecks")), {}, "PUT")),
    "Icinga, form": ("icinga-resolved", Post(form("icinga-resolved"), FORM)),
    "Nagios, form": ("icinga-host", Post(form("icinga-host"), FORM)),
    "ntfy, PUT": ("ntfy", Post(json.dumps(document("ntfy")), FORM, "PUT")),
    "Slack, form": ("slack-blocks", Post(urlencode({"payload": json.dumps(document("slack-blocks"))}), FORM)),
    "Uptime Kuma, multipart": (
        "uptime-kuma",
        Post(
            body_of([part('name="data"', json.dumps(document("uptime-kuma")).encode())]), {"Content-Type": CONTENT_TYPE}
        ),
    ),
}


@pytest.mark.parametrize(("name", "post"), OTHER_WAYS.values(), ids=OTHER_WAYS.keys())
def test_the_other_ways_of_a_tool_make_the_same_mail(daemon: Daemon, trail: MailTrail, name: str, post: Post) -> None:
    """Many tools can be told to send the same as a form, by PUT or in the header."""
    expected, found = EXPECTED[name], trail.follow_one(posted(daemon, post))
    assert found.mail["Subject"] == expected.subject_line
    assert tuple(map(found.says, ("Severity", "Status", "Key"))) == (expected.severity, expected.status, expected.key)
    assert [words for words in expected.says if words not in found.text] == []
