"""Matchers: what they look at."""

from app.domain.alert import Alert, Severity, Status
from app.domain.matcher import Matcher, matchable


def test_severity_status_and_source_match_like_labels() -> None:
    """So that alerts without labels can be routed."""
    alert = Alert(subject="x", severity=Severity.CRITICAL, status=Status.RESOLVED, source="cron@db1")
    assert matchable(alert) == {"severity": "critical", "status": "resolved", "source": "cron@db1"}


def test_a_label_wins_over_what_the_alert_says_itself() -> None:
    """Prometheus' rules have their own words for severity, and people route by them."""
    alert = Alert(subject="x", severity=Severity.CRITICAL, labels={"severity": "page"})
    assert Matcher("severity", "severity=page", "page".__eq__).matches(matchable(alert))
