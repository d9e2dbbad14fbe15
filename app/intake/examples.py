"""Examples for the OpenAPI document: what is posted, and what is answered when it is refused."""

from datetime import timedelta
from typing import Any

from app.httpkit import problems
from app.httpkit.problems import FieldError

NATIVE = {"subject": "Disk full on web1", "severity": "error", "labels": {"host": "web1"}, "key": "disk/web1"}
WITH_ATTACHMENT = {
    "subject": "Backup failed on db1",
    "attachments": [{"name": "backup.log", "content_type": "text/plain", "content": "ZGlzayBmdWxsCg=="}],
}
ALERTMANAGER = {
    "version": "4",
    "status": "firing",
    "receiver": "mail",
    "groupKey": '{}:{alertname="DiskFull"}',
    "externalURL": "http://alertmanager.example.org:9093",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "DiskFull", "severity": "critical", "instance": "db1:9100"},
            "annotations": {"summary": "Disk of db1 is full"},
            "startsAt": "2026-03-04T05:06:07Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "b3d4a5c6e7f80912",
        }
    ],
}
EXAMPLES: dict[str, Any] = {
    "native": {"summary": "Native", "value": NATIVE},
    "several": {"summary": "Several native alerts", "value": [NATIVE, {"subject": "Backup failed on db1"}]},
    "attachment": {"summary": "With an attachment in base64", "value": WITH_ATTACHMENT},
    "alertmanager": {"summary": "The webhook of Prometheus Alertmanager", "value": ALERTMANAGER},
    "slack": {"summary": "What is meant for Slack", "value": {"text": "Deploy of web1 failed"}},
}
WAIT = timedelta(seconds=1)
REFUSAL_EXAMPLES = {
    "401": problems.unauthorized("Send the token as `Authorization: Bearer`, or as the password of Basic."),
    "403": problems.forbidden("This token may not send alerts; its scopes do not hold `send`."),
    "404": problems.not_found("There is no format of this name. There are alerta, alertmanager, …"),
    "413": problems.content_too_large(10 << 20, what="The attachments of one alert", setting="http.attachments_limit"),
    "422": problems.invalid_alert(
        "The alert was not taken.",
        [FieldError("/severity", "Input should be 'info', 'warning', 'error' or 'critical'")],
    ),
    "429": problems.too_many_requests("The rate of this token is used up.", retry_after=WAIT),
    "503": problems.service_unavailable("Too many large bodies are coming in at once.", retry_after=WAIT),
}
