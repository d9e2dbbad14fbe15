"""What the OpenAPI document shows of the reading API: an example of each answer, without nulls, which FastAPI drops."""

from typing import Any

from app.httpkit import problems

Responses = dict[int | str, dict[str, Any]]  # by status, as FastAPI takes them

FAILED_RECIPIENT = {
    "address": "ops@example.org",
    "state": "refused",
    "text": "mailbox does not exist (550 5.1.1), not retried",
    "attempts": 1,
    "last_attempt_at": "2026-03-04T05:06:08.120Z",
    "relay": "mx1",
    "reply": "550 5.1.1 no such user",
    "reason": "mailbox does not exist",
    "remote": "",
    "possibly_twice": False,
}
STANDING = {
    "who": "ann@example.org",
    "at": "2026-03-04T05:10:00.000Z",
    "until": "2026-03-04T07:10:00.000Z",
    "how": "reply",
}
SUMMARY = {
    "id": "0146KBZ9XG000",
    "received_at": "2026-03-04T05:06:07.890Z",
    "state": "failed",
    "severity": "critical",
    "status": "firing",
    "subject": "disk full",
    "source": "cron@db1",
}
ALERTS = {"alerts": [SUMMARY], "next": "0146KBZ9XG000"}
ALERT = {
    **SUMMARY,
    "content": "/var is at 100 %",
    "labels": {"host": "db1"},
    "key": "",
    "starts_at": "2026-03-04T05:00:00.000Z",
    "ends_at": "2026-03-04T06:00:00.000Z",
    "links": [],
    "extra": {},
    "notes": [],
    "to": [],
    "receivers": [],
    "attachments": [{"name": "df.txt", "content_type": "text/plain", "size_bytes": 612}],
    "acknowledged": STANDING,
    "acknowledgements": [{"action": "acknowledged", **STANDING}],
    "mails": [
        {
            "id": "0146KBZ9XG001",
            "receiver": "",
            "state": "failed",
            "made_at": "2026-03-04T05:06:07.890Z",
            "finished_at": "2026-03-04T05:06:08.120Z",
            "without_attachments": False,
            "events": [],
            "recipients": [FAILED_RECIPIENT],
        }
    ],
}
DEAD_LETTERS = {
    "dead_letters": [
        {
            "id": "0146KBZ9XG001",
            "alert_id": "0146KBZ9XG000",
            "failed_at": "2026-03-04T05:06:08.120Z",
            "severity": "critical",
            "subject": "disk full",
            "recipients": [FAILED_RECIPIENT],
        }
    ],
    "next": "0146KBZ9XG001",
}
RETRIED = {"id": "0146KBZ9XG001", "status": "queued"}
MANY_RETRIED = {"retried": 500, "next": "0146KBZ9XG001"}
DROPPED = {"id": "0146KBZ9XG001", "status": "dropped"}
ACKNOWLEDGED = {"id": "0146KBZ9XG000", "acknowledged": {**STANDING, "how": "http"}}
TAKEN_BACK = {"id": "0146KBZ9XG000"}  # and a null
SET_ASIDE = {
    "set_aside": [
        {
            "address": "ops@example.org",
            "bounces": 3,
            "since": "2026-03-04T05:06:08.120Z",
            "reply": "550 5.1.1 no such user",
        }
    ]
}
RELEASED = {"address": "ops@example.org", "status": "released"}
HEALTH = {
    "status": "ok",
    "version": "0.1.0",
    "uptime_seconds": 86_400,
    "queue_depth": 0,
    "possibly_twice": 0,
    "relays": [{"name": "mx1", "state": "usable"}],
    "since_start": {"not_understood": 0},
    "mailbox": {
        "name": "imap:alerts@mail.example.org",
        "readable": True,
        "last_poll_age_seconds": 12,
        "read": 7,
        "set_aside": 0,
    },
    "probes": [{"relay": "mx1", "round_trip_seconds": 2.75, "missing": False, "last_arrival_age_seconds": 312}],
}


def example(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a response that looks like `answer`."""
    return {"description": "Done", "content": {"application/json": {"example": answer}}}


def problem(description: str) -> dict[str, Any]:
    """Return the description of a response that is a problem document (RFC 9457)."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {problems.CONTENT_TYPE.decode(): {"schema": schema}}}


# What any request may meet before its own handler.
ANYWHERE: Responses = {
    401: problem("The token is missing or wrong"),
    403: problem("The token's scopes do not hold what this needs, or a page of another origin sent this"),
    408: problem("The request did not come in time"),
    421: problem("The Host is not one of this daemon's"),
    422: problem("A bad parameter"),
    429: problem("Too many wrong tokens came from this address, or the rate of this token is used up"),
    431: problem("The header of the request is longer than the server reads"),
}
