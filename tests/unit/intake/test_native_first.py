"""A subject makes an alert native: no tool's shape takes it away, and nothing of it is lost."""

import json

import pytest

from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming
from tests.support.tool_payloads import document, names

LIMITS = SizeLimits(body=1 << 20, attachments=1 << 20)
OBJECTS = [
    name
    for name in names()
    if isinstance(document(name), dict) and not name.startswith(("healthchecks", "cloudevents"))
]


@pytest.mark.parametrize("name", OBJECTS)
def test_fields_of_a_tool_beside_a_subject_are_extra_fields(name: str) -> None:
    """Whatever else a script puts into its alert, it is mailed as the script wrote it."""
    body = {**document(name), "subject": "Payment failed", "content": "card declined", "severity": "critical"}
    for field in ("labels", "links", "attachments", "starts_at", "ends_at", "status", "source", "key", "to"):
        body.pop(field, None)
    (alert,) = read_alerts(incoming(json.dumps(body).encode(), "application/json"), LIMITS).alerts
    assert (alert.subject, alert.content, alert.severity) == ("Payment failed", "card declined", "critical")
    assert set(alert.extra) == set(body) - {"subject", "content", "severity"}


def test_a_check_of_healthchecks_with_a_subject_is_still_one() -> None:
    """Its newer versions send one; what has a content or a severity besides was written for us."""
    body = {**document("healthchecks"), "subject": "S"}
    made = [
        read_alerts(incoming(json.dumps(given).encode(), "application/json"), LIMITS).alerts[0]
        for given in (body, {**body, "status": None, "severity": "critical"})
    ]
    assert [alert.subject == "S" for alert in made] == [False, True]


def test_what_was_cut_is_told_whoever_sent_it() -> None:
    """The sender learns of it in the answer, as readers do in the mail."""
    body = {**document("gotify"), "message": "x" * 300_000}
    reading = read_alerts(incoming(json.dumps(body).encode(), "application/json"), LIMITS)
    assert reading.warnings == reading.alerts[0].notes != ()
