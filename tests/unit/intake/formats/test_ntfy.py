"""ntfy: raw bodies with header fields or a query, files, and JSON with a topic."""

import pytest

from app.domain.address import Mailbox
from app.domain.alert import Alert, Link, Severity
from app.intake.format import NotUnderstood
from app.intake.formats import ntfy
from app.intake.incoming import IncomingBody, Reading
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.tool_payloads import document, payload_of, read_one

NAME = "ntfy"
MESSAGE = document("ntfy")
LIMITS = SizeLimits(body=2**20, attachments=2**20)
CURL = "application/x-www-form-urlencoded"


def posted(body: bytes, query: bytes = b"", content_type: str = CURL, **headers: str) -> Reading:
    fields = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return read_alerts(IncomingBody(body, fields | {b"content-type": content_type.encode()}, query), LIMITS)


def alert(body: bytes, query: bytes = b"", **headers: str) -> Alert:
    return posted(body, query, **headers).alerts[0]


def test_json() -> None:
    """It is a one-shot with the page that a click opens."""
    assert read_one(NAME, MESSAGE) == Alert(
        subject="Backup failed",
        content="rsync exit 23",
        severity=Severity.ERROR,
        source="ntfy",
        links=(Link("https://backup.example.com"),),
        extra={"tags": "warning", "topic": "alerts"},
    )


@pytest.mark.parametrize(
    "names",
    [("x_title", "x_priority", "x_tags", "x_click"), ("title", "priority", "tags", "click"), ("t", "p", "ta", "click")],
    ids=["long", "usual", "short"],
)
def test_header_fields(names: tuple[str, ...]) -> None:
    """`curl -H "Title: …" -d text`, by long and short names."""
    values = ("Backup failed", "high", "warning", "https://backup.example.com")
    made = alert(b"rsync exit 23", **dict(zip(names, values, strict=True)))
    assert (made.subject, made.content, made.severity) == ("Backup failed", "rsync exit 23", Severity.ERROR)
    assert (made.extra, made.links) == ({"tags": "warning"}, (Link("https://backup.example.com"),))


@pytest.mark.parametrize(
    "query", [b"title=Backup+failed&priority=5", b"t=Backup+failed&p=max", b"Prio=5&T=Backup+failed"]
)
def test_query(query: bytes) -> None:
    """The same by the query, in any case."""
    made = alert(b"rsync exit 23", query)
    assert (made.subject, made.content, made.severity) == ("Backup failed", "rsync exit 23", Severity.CRITICAL)


@pytest.mark.parametrize(
    ("priority", "severity"),
    [
        ("1", Severity.INFO),
        ("low", Severity.INFO),
        ("3", Severity.WARNING),
        ("High", Severity.ERROR),
        ("urgent", Severity.CRITICAL),
        ("wibble", Severity.WARNING),
    ],
)
def test_priority_is_the_severity(priority: str, severity: Severity) -> None:
    """Numbers and words."""
    assert alert(b"x", x_priority=priority).severity is severity


def test_message_in_the_header() -> None:
    """Its line ends are written as two characters."""
    assert alert(b"", message=r"one\ntwo").content == "one\ntwo"


def test_header_in_other_scripts() -> None:
    """UTF-8 as it is, or as RFC 2047 has it."""
    assert alert(b"x", x_title="Füllstand").subject == "Füllstand"
    assert alert(b"x", x_title="=?UTF-8?B?RsO8bGxzdGFuZA==?=").subject == "Füllstand"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"\x89PNG\0", "image/png", id="image"),
        pytest.param(b"a=1&b=2", CURL, id="curl"),
        pytest.param(b'{"a": 1}', "application/json", id="json"),
    ],
)
def test_filename_makes_the_body_a_file(body: bytes, content_type: str) -> None:
    """`curl -T disk.png -H "Filename: disk.png"`: it is attached, whatever is in it."""
    (made,) = posted(body, content_type=content_type, filename="disk.png").alerts
    assert [(file.name, file.content_type, file.data) for file in made.attachments] == [
        ("disk.png", "image/png" if content_type == CURL else content_type, body)
    ]
    assert made.subject == "You received a file: disk.png"


def test_short_name_in_the_query_makes_a_file() -> None:
    """`?f=a.log` as well."""
    made = alert(b"rsync: error", b"f=a.log")
    assert [(file.name, file.data) for file in made.attachments] == [("a.log", b"rsync: error")]
    assert made.subject == "You received a file: a.log"


def test_file_without_a_name() -> None:
    """An image is one by its type."""
    (made,) = posted(b"\x89PNG", content_type="image/png", tags="camera").alerts
    assert (made.subject, len(made.attachments)) == ("You received a file", 1)


def test_file_with_a_message() -> None:
    """The message says what the file is."""
    made = alert(b"\0", filename="a.bin", message="The core dump", title="Crash")
    assert (made.subject, made.content, len(made.attachments)) == ("Crash", "The core dump", 1)


def test_buttons_that_open_a_page() -> None:
    """They become links, from JSON and from the header."""
    expected = (Link("https://h/1", "Open"),)
    assert alert(b"x", actions="view, Open, https://h/1; http, Close, https://h/2").links == expected
    button = {"action": "view", "label": "Open", "url": "https://h/1"}
    assert read_one(NAME, {"topic": "a", "message": "x", "actions": [button]}).links == expected


def test_email_is_whom_the_sender_wants_to_have_it() -> None:
    """Whether it may is for its token to say."""
    assert alert(b"x", email="ops@example.org").to == (Mailbox("ops@example.org"),)


def test_email_that_is_none_is_shown() -> None:
    """It costs nothing."""
    made = alert(b"x", email="yes")
    assert (made.to, made.extra) == ((), {"email": "yes"})


def test_message_in_the_header_stands_above_the_text() -> None:
    """Neither is lost."""
    assert alert(b"rsync exit 23", message="Backup failed").content == "Backup failed\n\nrsync exit 23"


@pytest.mark.parametrize("name", ["title", "x_title"])
@pytest.mark.parametrize(
    ("body", "content"),
    [
        pytest.param(b'{"exit": 23}', '{\n  "exit": 23\n}', id="json"),
        pytest.param(b'{"message": "exit 23"}', '{\n  "message": "exit 23"\n}', id="json-of-gotify"),
        pytest.param(b"message=exit 23", "message=exit 23", id="form-of-gotify"),
        pytest.param(b"body=exit 23&type=info", "body=exit 23&type=info", id="form-of-apprise"),
        pytest.param(b"exit=23", "exit=23", id="text"),
        pytest.param(b'{"exit": "a "b""}', '{"exit": "a "b""}', id="broken-json"),
    ],
)
def test_text_may_look_like_something_else(name: str, body: bytes, content: str) -> None:
    """Title and priority in the header count, whatever stands in the body."""
    made = alert(body, **{name: "Backup failed"}, priority="urgent")
    assert (made.subject, made.severity, made.content) == ("Backup failed", Severity.CRITICAL, content)


def test_text_keeps_the_charset_of_its_type() -> None:
    """Also where it looks like a form."""
    (made,) = posted("message=größer".encode("latin-1"), content_type=f"{CURL}; charset=latin-1", tags="x").alerts
    assert made.content == "message=größer"


def test_query_beside_json() -> None:
    """As webhooks of others are pointed at ntfy; without a priority the JSON may say how bad it is."""
    made = alert(b'{"exit": 23, "level": "error"}', b"title=Backup+failed")
    assert (made.subject, made.severity, made.source) == ("Backup failed", Severity.ERROR, "ntfy")


@pytest.mark.parametrize(
    ("body", "query", "headers", "source"),
    [
        pytest.param(b'{"wibble": 1}', b"t=1&a=2", {}, "", id="short-names-beside-json"),
        pytest.param(b'{"title": "x"}', b"", {"priority": "u=1"}, "", id="priority-of-http"),
        pytest.param(b"subject=x", b"", {"priority": "high"}, "", id="native-form"),
        pytest.param(b'{"subject": "x"}', b"", {"priority": "high"}, "", id="native-json"),
        pytest.param(b"summary=x&dedup=y", b"", {"priority": "high"}, "goalert", id="form-of-a-tool"),
        pytest.param(b'{"text": "x"}', b"", {"priority": "high"}, "slack", id="json-of-a-tool"),
        pytest.param(b'{"message": "x"}', b"tag=y", {}, "gotify", id="query-beside-gotify"),
        pytest.param(b"message=x", b"source=cron", {"priority": "high"}, "gotify", id="our-query"),
    ],
)
def test_what_others_know_is_theirs(body: bytes, query: bytes, headers: dict[str, str], source: str) -> None:
    """ntfy is asked last: its names are short and common."""
    assert alert(body, query, **headers).source == source


def test_form_under_its_own_url_is_a_text() -> None:
    """ntfy itself knows no forms."""
    body = b"message=exit 23"
    fields = {b"content-type": CURL.encode()}
    (made,) = read_alerts(IncomingBody(body, fields), LIMITS, named=ntfy.FORMAT).alerts
    assert (made.content, made.source) == ("message=exit 23", "ntfy")


def test_empty_message() -> None:
    """ntfy calls it triggered."""
    assert alert(b"", tags="skull").subject == "triggered"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        pytest.param(b"", {}, id="nothing"),
        pytest.param(b"", {"title": "Backup failed"}, id="title-alone"),
        pytest.param(b"", {"priority": "u=1, i"}, id="priority-of-http"),
        pytest.param(b"severity=error", {"x_title": "Backup failed"}, id="our-query"),
    ],
)
def test_plain_text_stays_plain_text(query: bytes, headers: dict[str, str]) -> None:
    """What others send too makes no ntfy message."""
    assert alert(b"rsync exit 23", query, **headers).source == ""


def test_json_of_others_is_none() -> None:
    """A topic beside fields that ntfy does not have."""
    assert not ntfy.FORMAT.recognises(payload_of(MESSAGE | {"partition": 3}))


def test_json_without_a_topic_is_not_understood() -> None:
    """Under its own URL, too."""
    with pytest.raises(NotUnderstood):
        ntfy.FORMAT.read(payload_of({"wibble": 1}))
