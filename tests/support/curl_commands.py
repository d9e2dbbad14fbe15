"""curl as the documentation of each tool has it, with nothing changed but the address, and what each is to become.

$URL is the address of the daemon with a token in it, $BARE the one without, $TOKEN the token. The commands run in a
folder that holds a `backup.log` and some of the bodies of `tests/payloads/`.
"""

from dataclasses import dataclass

LOG = "rsync: connection unexpectedly closed\nrsync error: code 23\n"


@dataclass(frozen=True)
class Expected:
    """What becomes of it: the alert, words of the mail's text, and whether the log is attached."""

    subject: str
    severity: str = "warning"
    key: str = ""
    status: str = "firing"
    says: str = ""
    has_log: bool = False


FAILED = "Backup failed"
COMMANDS = {
    # ntfy: https://docs.ntfy.sh/publish/
    "ntfy, a message": ('curl -d "Backup failed 😀" "$URL"', Expected("Backup failed 😀")),
    "ntfy, title, priority and tags": (
        'curl -H "Title: Backup failed" -H "Priority: urgent" -H "Tags: warning,skull" -d "rsync exit 23" "$URL"',
        Expected(FAILED, "critical", says="tags: warning, skull"),
    ),
    "ntfy, short names": (
        'curl -H "t: Backup failed" -H "p: 4" -H "ta: warning" -d "rsync exit 23" "$URL"',
        Expected(FAILED, "error", says="rsync exit 23"),
    ),
    "ntfy, in the query": (
        'curl -d "rsync exit 23" "$URL&title=Backup+failed&prio=high&tags=warning"',
        Expected(FAILED, "error", says="rsync exit 23"),
    ),
    "ntfy, click": (
        'curl -d "New messages" -H "Click: https://mail.example.com/inbox" "$URL"',
        Expected("New messages", says="Link:     https://mail.example.com/inbox"),
    ),
    "ntfy, action buttons": (
        'curl -d "The door is open" -H "Actions: view, Open the log, https://door.example.com/log, clear=true" "$URL"',
        Expected("The door is open", says="https://door.example.com/log (Open the log)"),
    ),
    "ntfy, a file with its name": (
        'curl -T backup.log -H "Filename: backup.log" "$URL"',
        Expected("You received a file: backup.log", has_log=True),
    ),
    "ntfy, a file with a message": (
        'curl -T backup.log -H "Filename: backup.log" -H "Message: rsync exit 23" -H "Title: Backup failed" "$URL"',
        Expected(FAILED, says="rsync exit 23", has_log=True),
    ),
    "ntfy, JSON": (
        """
        curl "$URL" -d '{
          "topic": "backup", "message": "rsync exit 23", "title": "Backup failed", "tags": ["warning","cd"],
          "priority": 5
        }'
        """,
        Expected(FAILED, "critical", says="topic: backup"),
    ),
    "ntfy, a message that is JSON": (
        """curl -H "Title: Backup failed" -H "Priority: urgent" -H "Tags: skull" -d '{"exit": 23}' "$URL" """,
        Expected(FAILED, "critical", says='"exit": 23'),
    ),
    "ntfy, a message that looks like a form": (
        """curl -H "Title: Backup failed" -H "Priority: urgent" -d 'message=exit 23' "$URL" """,
        Expected(FAILED, "critical", says="message=exit 23"),
    ),
    "ntfy, bearer": ('curl -H "Authorization: Bearer $TOKEN" -d "Backup failed" "$BARE"', Expected(FAILED)),
    "ntfy, user": ('curl -u ":$TOKEN" -d "Backup failed" "$BARE"', Expected(FAILED)),
    "ntfy, auth in the query": (
        'curl -d "Backup failed" "$BARE?auth=$(printf "Bearer %s" "$TOKEN" | base64 -w0 | tr -d =)"',
        Expected(FAILED),
    ),
    # Gotify: https://gotify.net/docs/pushmsg
    "Gotify, form": (
        'curl "$URL" -F "title=Backup failed" -F "message=rsync exit 23" -F "priority=5"',
        Expected(FAILED, says="rsync exit 23"),
    ),
    "Gotify, token in the header": (
        'curl -H "X-Gotify-Key: $TOKEN" "$BARE" -F "title=Backup failed" -F "message=rsync exit 23" -F "priority=8"',
        Expected(FAILED, "error"),
    ),
    "Gotify, JSON": (
        """
        curl -X POST -H 'Content-Type: application/json' "$URL" \\
          -d '{"title": "Backup failed", "message": "rsync exit 23", "priority": 10}'
        """,
        Expected(FAILED, "critical"),
    ),
    # Apprise: https://github.com/caronc/apprise-api
    "Apprise, form": (
        """
        curl -X POST -d 'urls=mailto://user:pass@example.com' \\
          -d 'body=rsync exit 23' -d 'title=Backup failed' "$URL"
        """,
        Expected(FAILED, says="rsync exit 23"),
    ),
    "Apprise, type": (
        'curl -X POST -d "body=rsync exit 23" -d "type=failure" "$URL"',
        Expected("rsync exit 23", "error"),
    ),
    "Apprise, JSON": (
        """
        curl -X POST -H "Content-Type: application/json" \\
          -d '{"body":"rsync exit 23","title":"Backup failed","tag":"ops"}' "$URL"
        """,
        Expected(FAILED, says="tag: ops"),
    ),
    "Apprise, a file": (
        'curl -X POST -F "tags=all" -F "body=See attached log." -F "attach=@backup.log" "$URL"',
        Expected("See attached log.", has_log=True),
    ),
    "Apprise, JSON and a file": (
        """
        curl -X POST "$URL" -F "attach=@backup.log" \\
          -F 'payload={"title": "Backup failed", "body": "See attached log."};type=application/json'
        """,
        Expected(FAILED, says="See attached log.", has_log=True),
    ),
    # Healthchecks: a webhook with the body $JSON
    "Healthchecks": (
        'curl -X POST -A healthchecks.io -H "Content-Type:" --data-binary @healthchecks.json "$URL"',
        Expected("nightly backup is down", "error", "healthchecks/5e3bd0a5-1b3c-4e0f-9a60-6f2c1f5d0c11"),
    ),
    # Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    "Slack": (
        """
        curl -X POST -H 'Content-type: application/json' --data '{"text":"Backup failed\\nrsync exit 23"}' "$URL"
        """,
        Expected(FAILED, says="rsync exit 23"),
    ),
    "Slack, form": (
        """
        curl -X POST "$URL" \\
          --data-urlencode 'payload={"channel": "#ops", "username": "backup", "text": "Backup failed"}'
        """,
        Expected(FAILED, says="channel: #ops"),
    ),
    # Grafana: its webhook by hand
    "Grafana": (
        'curl -X PUT -H "Content-Type: application/json" -d @grafana-webhook.json "$URL"',
        Expected("mem high", key="grafana/c6eadffa33fcdf37"),
    ),
    # Prometheus: an alert by hand, as scripts send it to Alertmanager
    "Prometheus": (
        """curl -XPOST "$URL" -d '[{"labels": {"alertname": "DiskFull", "instance": "db1", "severity": "page"}}]' """,
        Expected("DiskFull on db1", "critical", "prometheus/516daf3615b31dde"),
    ),
    # CloudEvents: the bindings for HTTP
    "CloudEvents, binary": (
        """
        curl -X POST "$URL" -H "Content-Type: application/json" -H "ce-specversion: 1.0" -H "ce-id: 1234-5678" \\
          -H "ce-type: com.example.backup" -H "ce-source: /backup/db1" -d '{"message": "rsync exit 23"}'
        """,
        Expected("rsync exit 23", says="Source:   /backup/db1"),
    ),
    "CloudEvents, structured": (
        """
        curl -X POST "$URL" -H "Content-Type: application/cloudevents+json" -d '{
          "specversion": "1.0", "id": "1234-5679", "type": "com.example.backup", "source": "/backup/db1",
          "data": "rsync exit 23"
        }'
        """,
        Expected("rsync exit 23", says="Source:   /backup/db1"),
    ),
    # GoAlert: its generic API
    "GoAlert, in the query": (
        'curl -XPOST "$URL&summary=Disk+full&details=97+%25&dedup=disk-check"',
        Expected("Disk full", key="goalert/disk-check", says="97 %"),
    ),
    "GoAlert, close": (
        'curl -XPOST "$URL" -d summary="Disk full" -d dedup=disk-check -d action=close',
        Expected("Disk full", key="goalert/disk-check", status="resolved"),
    ),
    "GoAlert, close by its dedup": (
        'curl -XPOST "$URL" -d dedup=disk-check -d action=close',
        Expected("disk-check", key="goalert/disk-check", status="resolved"),
    ),
    "GoAlert and a file": (
        'curl "$URL" -F summary="Disk full" -F log=@backup.log',
        Expected("Disk full", has_log=True),
    ),
    # Alerta: its API
    "Alerta": (
        """
        curl -XPOST "$URL" -H 'Content-type: application/json' -d '{
          "environment": "Production", "event": "HttpServerError", "resource": "web01", "severity": "major",
          "service": ["shop"], "text": "Site is down.", "value": "Bad Gateway (501)"
        }'
        """,
        Expected("HttpServerError on web01", "error", "alerta/Production/web01/HttpServerError", says="Site is down."),
    ),
    # Uptime Kuma: its webhook as a form
    "Uptime Kuma": (
        """curl "$URL" -F 'data={"heartbeat": null, "monitor": null, "msg": "Kuma Testing"}'""",
        Expected("Kuma Testing", "info"),
    ),
    # Nagios: a notification command
    "Nagios": (
        """
        curl "$URL" --data-urlencode "NOTIFICATIONTYPE=PROBLEM" --data-urlencode "HOSTNAME=db1" \\
          --data-urlencode "SERVICEDESC=Disk" --data-urlencode "SERVICESTATE=WARNING" \\
          --data-urlencode "SERVICEOUTPUT=DISK WARNING - 9% & falling"
        """,
        Expected("Disk on db1 is WARNING", key="icinga/db1!Disk", says="DISK WARNING - 9% & falling"),
    ),
    # People
    "text from a pipe": ("""echo 'Backup failed' | curl --data-binary @- "$URL" """, Expected(FAILED)),
    "a long text from a pipe": (
        """(echo 'Backup failed'; cat backup.log) | curl --data-binary @- "$URL" """,
        Expected(FAILED, says=LOG),
    ),
    "a pipe of unknown length": ("""echo 'Backup failed' | curl -T - "$URL" """, Expected(FAILED)),
    "a log as the body": ('curl -T backup.log "$URL"', Expected(LOG.splitlines()[0], says=LOG)),
    "a file alone": ('curl -F file=@backup.log "$URL"', Expected("backup.log", has_log=True)),
    "a file with a subject in the query": (
        'curl -F file=@backup.log "$URL&subject=Backup+failed&severity=error"',
        Expected(FAILED, "error", has_log=True),
    ),
    "native, form": (
        'curl "$URL" -F subject="Backup failed" -F severity=error -F log=@backup.log',
        Expected(FAILED, "error", has_log=True),
    ),
    "native, JSON": (
        """curl --json '{"subject": "Backup failed", "key": "backup/db1", "status": "resolved"}' "$URL" """,
        Expected(FAILED, key="backup/db1", status="resolved"),
    ),
    "compressed": (
        """echo 'Backup failed' | gzip | curl -H 'Content-Encoding: gzip' --data-binary @- "$URL" """,
        Expected(FAILED),
    ),
}
