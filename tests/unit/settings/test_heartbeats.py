"""`[[heartbeats]]`: what is to give signs of life."""

import json
from datetime import timedelta
from typing import Any

import pytest

from app.domain.alert import Severity
from app.domain.errors import ConfigurationError
from app.domain.heartbeat import Heartbeat
from app.domain.heartbeat_schedule import Cron, Every
from app.settings.load import load_settings
from app.settings.matchers import parse_matcher

NEEDED = {
    "MAILALERT_RELAY": "smtp://h",
    "MAILALERT_MAIL_FROM": "alerts@example.org",
    "MAILALERT_MAIL_TO": "ops@example.org",
}


def heartbeats(*tables: Any) -> tuple[Heartbeat, ...]:
    """Return what the settings with these tables mean."""
    environ = {**NEEDED, "MAILALERT_HEARTBEATS": json.dumps(tables)}
    return load_settings(config=None, sandbox=False, environ=environ).all_heartbeats()


def test_a_name_and_a_period_are_enough() -> None:
    """The rest has defaults that suit a nightly job."""
    assert heartbeats({"name": "backup", "period": "1d"}) == (
        Heartbeat(name="backup", schedule=Every(timedelta(days=1)), grace=timedelta(hours=1), severity=Severity.ERROR),
    )


def test_everything_can_be_said() -> None:
    """Cron with its zone, who is told, and which alerts are pings."""
    (heartbeat,) = heartbeats(
        {
            "name": "prometheus",
            "cron": "*/15 * * * *",
            "timezone": "Europe/Berlin",
            "grace": "15m",
            "severity": "critical",
            "receiver": "default",
            "matchers": ['alertname="Watchdog"'],
        }
    )
    assert heartbeat == Heartbeat(
        name="prometheus",
        schedule=Cron("*/15 * * * *", "Europe/Berlin"),
        grace=timedelta(minutes=15),
        severity=Severity.CRITICAL,
        receiver="default",
        matchers=(parse_matcher('alertname="Watchdog"'),),
    )


SWALLOWS = '"a": alerts without labels fulfil its matchers'
REFUSED = {
    "no name": ([{"period": "1d"}], "heartbeats.name in table 1: is missing"),
    "a bad name": ([{"name": "a b", "period": "1d"}], "is no name of a heartbeat"),
    "two of a name": ([{"name": "a", "period": "1d"}] * 2, '2 of them are called "a"'),
    "no period": ([{"name": "a"}], '"a" needs to know when pings are due; give it either period or cron'),
    "both": ([{"name": "a", "period": "1d", "cron": "* * * * *"}], "give it either period or cron"),
    "too short": ([{"name": "a", "period": "0s"}], "is too small: at least 1s"),
    "bad cron": ([{"name": "a", "cron": "0 25 * * *"}], "Bad hour"),
    "a bad zone": ([{"name": "a", "cron": "0 3 * * *", "timezone": "Mars"}], "is no time zone"),
    "a bad matcher": ([{"name": "a", "period": "1d", "matchers": ["x"]}], "is no matcher"),
    "a zone without cron": (
        [{"name": "a", "period": "1d", "timezone": "Europe/Berlin"}],
        '"a": timezone is that of cron, and there is a period; leave it out',
    ),
    "all but a team": ([{"name": "a", "period": "1d", "matchers": ['team!="db"']}], SWALLOWS),
    "all": ([{"name": "a", "period": "1d", "matchers": ['a=~".*"', 'b=""']}], SWALLOWS),
    "all of a severity": ([{"name": "a", "period": "1d", "matchers": ['severity="critical"']}], SWALLOWS),
    "all that fire": ([{"name": "a", "period": "1d", "matchers": ['status="firing"', 'host!~"db.*"']}], SWALLOWS),
    "an unknown receiver": ([{"name": "a", "period": "1d", "receiver": "dba"}], 'there is no receiver "dba"'),
    "a misspelt setting": ([{"name": "a", "periode": "1d"}], "did you mean heartbeats.period?"),
}


@pytest.mark.parametrize("matchers", [['a!=""'], ['source="watchdog"'], ['a="b"', 'c!="d"'], ['severity="none"'], []])
def test_a_label_that_is_asked_for_is_enough(matchers: list[str]) -> None:
    """Or the source; and severity where Prometheus has it as a label of its own."""
    (heartbeat,) = heartbeats({"name": "a", "period": "1d", "matchers": matchers})
    assert len(heartbeat.matchers) == len(matchers)


@pytest.mark.parametrize(("tables", "complaint"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_watched_is_refused(tables: list[Any], complaint: str) -> None:
    """At the start, and not by silence when it matters."""
    with pytest.raises(ConfigurationError) as refusal:
        heartbeats(*tables)
    assert complaint in str(refusal.value)
