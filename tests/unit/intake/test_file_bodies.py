"""Bodies that are files: by their name, or because they are no text; the same for all that a form brings along."""

import json
from typing import Any

import pytest

from app.domain.alert import Alert
from app.intake.attachments import UNKNOWN_TYPE
from app.intake.file_bodies import is_binary
from app.intake.incoming import Reading
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming
from tests.support.multipart_body import CONTENT_TYPE, body_of, part
from tests.support.tool_payloads import document

CURL = "application/x-www-form-urlencoded"
LIMITS = SizeLimits(body=1 << 20, attachments=1 << 20)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\xff"
LATIN_1 = "größer als 5 °C, läuft über\n".encode("latin-1")
LOG = part('name="log"; filename="backup.log"', b"rsync: error\n")


def read(body: bytes, content_type: str = CURL, query: bytes = b"", **fields: str) -> Reading:
    return read_alerts(incoming(body, content_type, query, **fields), LIMITS)


def files(made: Alert) -> list[tuple[str, bytes]]:
    return [(file.name, file.data) for file in made.attachments]


def form(fields: dict[str, Any], *more: bytes) -> Reading:
    parts = [part(f'name="{name}"', str(value).encode()) for name, value in fields.items()]
    return read(body_of([*parts, *more]), CONTENT_TYPE)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(document("goalert"), id="goalert"),
        pytest.param(document("icinga"), id="icinga"),
        pytest.param({"text": "Disk full"}, id="slack"),
        pytest.param({"data": json.dumps(document("uptime-kuma"))}, id="uptime-kuma"),
        pytest.param({"data": json.dumps(document("alertmanager-webhook-v4"))}, id="json-in-a-field"),
        pytest.param({"subject": "Disk full"}, id="native"),
        pytest.param({"wibble": "Disk full"}, id="unknown"),
    ],
)
def test_file_beside_the_fields_is_attached(fields: dict[str, Any]) -> None:
    """`-F summary=… -F log=@backup.log`: whoever knows the fields, the file is not lost."""
    reading = form(fields, LOG)
    assert files(reading.alerts[0]) == [("backup.log", b"rsync: error\n")]


def test_file_stands_behind_those_that_the_json_holds() -> None:
    """Even under the same name."""
    alert = {"subject": "x", "attachments": [{"name": "backup.log", "content": "YQ=="}]}
    (made,) = form({"data": json.dumps(alert)}, LOG).alerts
    assert files(made) == [("backup.log", b"a"), ("backup-2.log", b"rsync: error\n")]


def test_many_files_are_bounded_and_told() -> None:
    """Twenty are attached; a note in the mail and a warning in the answer count the others."""
    reading = form({"text": "Disk full"}, *[LOG] * 21)
    (made,) = reading.alerts
    assert len(made.attachments) == 20
    assert made.notes == reading.warnings == ("Of 21 files the first 20 are attached.",)


def test_odd_type_of_a_file_is_told() -> None:
    """As for native alerts."""
    reading = form({"text": "Disk full"}, part('name="log"; filename="a"', b"x", "Content-Type: wibble"))
    assert reading.warnings == (UNKNOWN_TYPE,)


@pytest.mark.parametrize(
    ("parts", "subject"),
    [
        pytest.param([LOG], "backup.log", id="one"),
        pytest.param([LOG, part('name="b"; filename="C:\\tmp\\b.txt"', b"")], "2 files: backup.log, b.txt", id="two"),
        pytest.param(
            [part(f'name="f"; filename="{n}"', b"x") for n in range(7)], "7 files: 0, 1, 2, 3, 4 and 2 more", id="many"
        ),
    ],
)
def test_files_alone_are_an_alert(parts: list[bytes], subject: str) -> None:
    """`curl -F file=@backup.log` is understood: there is nothing to warn of."""
    reading = form({}, *parts)
    (made,) = reading.alerts
    assert (made.subject, len(made.attachments)) == (subject, len(parts))
    assert (reading.understood, reading.warnings) == (True, ())


def test_the_sender_may_say_what_the_files_are() -> None:
    """The query, else the Title header."""
    body = body_of([LOG])
    by_query = read(body, CONTENT_TYPE, b"subject=Backup+failed&severity=error", title="Not this").alerts[0]
    by_title = read(body, CONTENT_TYPE, title="Backup failed").alerts[0]
    assert (by_query.subject, by_query.severity) == ("Backup failed", "error")
    assert (by_title.subject, files(by_title)) == ("Backup failed", files(by_query))


@pytest.mark.parametrize("content_type", [CURL, ""], ids=["curl", "unsaid"])
def test_octets_that_are_no_text_are_attached(content_type: str) -> None:
    """`curl -T graph.png`: nobody can read `\\x89PNG` in a mail."""
    reading = read(PNG, content_type, user_agent="curl/8.5")
    (made,) = reading.alerts
    assert (made.subject, files(made)) == ("File from curl", [("attachment-1", PNG)])
    assert made.attachments[0].content_type == "application/octet-stream"
    assert len(reading.warnings) == 1  # that it is mailed as it came


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        pytest.param(b"", {"filename": "graph.png"}, id="header"),
        pytest.param(b"filename=graph.png", {}, id="query"),
        pytest.param(b"", {"content_disposition": 'attachment; filename="graph.png"'}, id="disposition"),
        pytest.param(b"", {"x_filename": "=?utf-8?q?graph=2Epng?="}, id="encoded"),
        pytest.param(b"severity=error", {"filename": "graph.png"}, id="header-and-our-query"),
    ],
)
def test_file_has_the_name_that_the_sender_gives(query: bytes, fields: dict[str, str]) -> None:
    """And no warning is needed."""
    reading = read(PNG, query=query, **fields)
    (made,) = reading.alerts
    assert files(made) == [("graph.png", PNG)]
    assert made.attachments[0].content_type == "image/png"
    assert "graph.png" in made.subject
    assert (reading.understood, reading.warnings) == (True, ())


@pytest.mark.parametrize(("query", "fields"), [(b"", {"filename": "a.log"}), (b"filename=a.log", {})])
def test_charset_of_a_file_is_nobodys_business(query: bytes, fields: dict[str, str]) -> None:
    """It is attached as it is, so nothing was replaced."""
    reading = read(LATIN_1, query=query, **fields)
    assert files(reading.alerts[0]) == [("a.log", LATIN_1)]
    assert reading.warnings == ()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", False, id="empty"),
        pytest.param(b"Backup failed\n", False, id="ascii"),
        pytest.param("磁盘已满".encode(), False, id="utf-8"),
        pytest.param(("磁" * 3000).encode(), False, id="utf-8-cut-in-a-character"),
        pytest.param(LATIN_1, False, id="latin-1"),
        pytest.param(b"\x1b[31merror\x1b[0m\r\n", False, id="colours-of-a-terminal"),
        pytest.param("Füllstand".encode("utf-16"), False, id="utf-16"),
        pytest.param(PNG, True, id="png"),
        pytest.param(bytes(range(1, 256)), True, id="octets-without-nul"),
        pytest.param(b"text\0text", True, id="nul"),
    ],
)
def test_text_is_told_from_octets(body: bytes, expected: bool) -> None:
    """By what no text holds."""
    assert is_binary(body) is expected


def test_utf_16_stays_a_text() -> None:
    """Its mark says what it is."""
    assert read("Füllstand".encode("utf-16")).alerts[0].content == "Füllstand"


def test_octets_with_a_charset_stay_a_text() -> None:
    """Whoever names one means text."""
    made = read("磁盘已满".encode("gb18030"), f"{CURL}; charset=gb18030").alerts[0]
    assert (made.subject, made.attachments) == ("磁盘已满", ())


def test_where_no_files_are_taken_octets_are_shown() -> None:
    """An alert is not refused for what it could not know."""
    limits = SizeLimits(body=1 << 20, attachments=0)
    (made,) = read_alerts(incoming(PNG, CURL), limits).alerts
    assert made.content.startswith("\\x89PNG")
