"""The whole mail: what an alert says arrives, and nothing else."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from html import escape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.address import Mailbox
from app.domain.alert import Alert, Link, Severity, Status
from app.domain.answered import Answered
from app.domain.attachment import Attachment
from app.domain.envelope import Templates
from app.domain.ids import format_id
from app.domain.text import one_line, plain
from app.mail.compose import Composer
from app.mail.message_id import MessageIds
from app.mail.templates import built_in_templates
from app.mail.view import HOW_TO_ACKNOWLEDGE
from tests.support.any_alert import any_alert
from tests.support.mails import (
    ENVELOPE_ID,
    LETTERHEAD,
    MADE_AT,
    any_text,
    names_and_addresses,
    part_of,
    queued_mail,
    read_mail,
)

KEY = b"k" * 32
COMPOSER = Composer(mac_key=KEY)
GOLDEN = Path(__file__).with_name("golden")
HEADERS = [
    "Date", "Message-ID", "From", "To", "List-Id", "Auto-Submitted", "X-Auto-Response-Suppress", "Subject",
    "X-MailAlert-Id", "MIME-Version", "Content-Type",
]  # fmt: skip
FULL = Alert(
    subject="Größe von /var überschritten",
    content="93 % belegt.\n\n.a line with a leading dot\n",
    severity=Severity.CRITICAL,
    source="cron <root>",
    labels={"service": "nginx", "host": "web1"},
    key="web1:/var",
    starts_at=datetime(2026, 3, 4, 6, 0, tzinfo=timezone(timedelta(hours=1))),
    ends_at=datetime(2026, 3, 4, 7, 0, tzinfo=UTC),
    links=(Link("https://grafana.example/d/1?a=1&b=2", "Dashboard"), Link("javascript:alert(1)", "no")),
    extra={"runbook": "see the wiki", "values": {"used": 93, "unit": "%", "list": list(range(20))}},
    notes=("the content was cut",),
)
DISK_FULL = Alert(subject="disk full", content="93 % of /var is used\n")
alerts = any_alert(
    any_text,
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14))])),
    st.none() | st.booleans() | st.integers() | st.floats(),
)


def mail_of(alert: Alert, **changes: Any) -> EmailMessage:
    return read_mail(COMPOSER.render(queued_mail(alert, **changes)))


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("name", "alert", "changes"),
    [
        ("full", FULL, {}),
        ("plain", DISK_FULL, {}),
        ("acknowledgeable", DISK_FULL, {"takes_answers": True, "reply_address": Mailbox("box@example.org")}),
        ("answer", replace(DISK_FULL, answers=Answered("<3@x.example>", ("<1@x.example>",), alert_id=1)), {}),
    ],
    ids=["full", "plain", "acknowledgeable", "answer"],
)
def test_a_whole_mail_is_what_it_was(name: str, alert: Alert, changes: dict[str, Any]) -> None:
    """Every byte of a mail is on purpose: a change must show here and be meant."""
    letterhead = replace(
        LETTERHEAD,
        sender=Mailbox("alerts@example.org", "Mail Alert System"),
        recipients=(Mailbox("ops@example.org", "Ops, Köln"), Mailbox("boss@example.org")),
        **changes,
    )
    octets = COMPOSER.render(queued_mail(alert, letterhead=letterhead))
    assert octets == (GOLDEN / f"{name}.eml").read_bytes()


def test_the_headers_are_those_of_the_design() -> None:
    """A plain alert has these headers, once each, and no other: no Bcc, no X-Mailer."""
    mail = mail_of(Alert(subject="disk full"))
    assert mail.keys() == HEADERS
    assert mail["Subject"] == "[web1] disk full"
    assert mail["Message-ID"] == f"<{MessageIds(KEY).envelope_token(queued_mail(FULL).envelope)}@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["List-Id"] == "<alerts.example.org>"
    assert MessageIds(KEY).verify_token(mail["X-MailAlert-Id"]) == ENVELOPE_ID
    assert parsedate_to_datetime(mail["Date"]) == MADE_AT.replace(microsecond=0)


@given(server=any_text, subject=any_text, name=any_text, content=any_text)
def test_subject_addresses_and_text_read_back(server: str, subject: str, name: str, content: str) -> None:
    """What is sent parses back to the same subject, addresses and text, each in its cleaned form."""
    letterhead = replace(
        LETTERHEAD,
        server_name=server,
        sender=Mailbox("a@example.org", name),
        recipients=(Mailbox("ops@example.org", name), Mailbox("b@example.org")),
    )
    octets = COMPOSER.render(queued_mail(Alert(subject=subject, content=content), letterhead=letterhead))
    mail = read_mail(octets)
    assert mail["Subject"] == one_line(f"[{server}] {subject}")
    assert names_and_addresses(octets, "From") == [(one_line(name), "a@example.org")]
    assert names_and_addresses(octets, "To") == [(one_line(name), "ops@example.org"), ("", "b@example.org")]
    assert part_of(mail, "plain").startswith(plain(content.rstrip()))


@given(alert=alerts, hostile=any_text)
def test_nothing_that_an_alert_holds_breaks_the_mail(alert: Alert, hostile: str) -> None:
    """Any alert at all makes a sound mail of two parts with the known headers, the same every time."""
    queued = queued_mail(alert, server_name=hostile, sender=Mailbox("a@example.org", hostile))
    octets = COMPOSER.render(queued)
    mail = read_mail(octets)
    known = {*HEADERS, "In-Reply-To", "References", "X-Priority", "Importance"}
    assert set(mail.keys()) <= known
    assert len(set(mail.keys())) == len(mail.keys())
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert Composer(mac_key=KEY).render(queued) == octets


ANSWERS = Answered("<1@x.example>", ("<0@x.example>",), alert_id=1)
SILENT: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nobody reads answers": ({}, {}),
    "resolved": ({"status": Status.RESOLVED, "key": "k"}, {"takes_answers": True}),
    "an answer": ({"answers": ANSWERS}, {"takes_answers": True}),
    "an alarm": ({}, {"takes_answers": True, "is_alarm": True}),
    "answers go elsewhere": ({}, {"takes_answers": True, "reply_to": Mailbox("lead@example.org")}),
}


def test_a_mail_tells_how_to_acknowledge_in_its_last_line() -> None:
    """In the text and the HTML, where answers are heard."""
    mail = mail_of(Alert(subject="disk full"), takes_answers=True)
    assert part_of(mail, "plain").endswith(f" by web1\n{HOW_TO_ACKNOWLEDGE}\n")
    assert f"<br>{escape(HOW_TO_ACKNOWLEDGE).replace('&quot;', '&#34;')}</p>" in part_of(mail, "html")


@pytest.mark.parametrize(("fields", "changes"), SILENT.values(), ids=SILENT.keys())
def test_a_mail_that_acknowledges_nothing_does_not_tell_how(fields: dict[str, Any], changes: dict[str, Any]) -> None:
    """What is over, what answers a person and what the system says of itself need nobody to see to them."""
    mail = mail_of(Alert(subject="disk full", **fields), **changes)
    assert "ack" not in part_of(mail, "plain")
    assert "ack" not in part_of(mail, "html")


def test_a_site_template_can_tell_how_to_acknowledge() -> None:
    """The sentence is one of its variables."""
    templates = Templates(text="{{ subject }}. {{ how_to_acknowledge }}", html="x")
    mail = mail_of(Alert(subject="disk full"), templates=templates, takes_answers=True)
    assert part_of(mail, "plain") == f"disk full. {HOW_TO_ACKNOWLEDGE}\n"


INJECTION = "x\r\nBcc: victim@example.org\r\n\r\nbody\n.\r\nQUIT\x00\u2028\x85"
INJECTED: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "subject": ({"subject": INJECTION}, {}),
    "source": ({"source": INJECTION}, {}),
    "label name": ({"labels": {INJECTION: "x"}}, {}),
    "label value": ({"labels": {"x": INJECTION}}, {}),
    "key": ({"key": INJECTION}, {}),
    "link": ({"links": (Link(INJECTION, INJECTION),)}, {}),
    "extra": ({"extra": {INJECTION: INJECTION}}, {}),
    "note": ({"notes": (INJECTION,)}, {}),
    "content": ({"content": INJECTION}, {}),
    "left-out attachment": ({"attachments": (Attachment(name=INJECTION, content_type="a/b", size_bytes=1),)}, {}),
    "server name": ({}, {"server_name": INJECTION}),
    "sender name": ({}, {"sender": Mailbox("a@example.org", INJECTION)}),
    "sender domain": ({}, {"sender": Mailbox(f"a@{INJECTION}")}),
    "recipient name": ({}, {"recipients": (Mailbox("a@example.org", INJECTION),)}),
    "recipient": ({}, {"recipients": (Mailbox(INJECTION),)}),
    "mail answered": ({"answers": Answered(INJECTION, (INJECTION, f"<{INJECTION}@x>"), alert_id=1)}, {}),
}


@pytest.mark.parametrize(("fields", "changes"), INJECTED.values(), ids=INJECTED.keys())
def test_no_field_can_add_a_header(fields: dict[str, Any], changes: dict[str, Any]) -> None:
    """No field, not even one that skipped its cleaning, adds a header or ends them early."""
    mail = queued_mail(Alert(**{"subject": "s"} | fields), **changes)
    octets = COMPOSER.render(replace(mail, envelope=replace(mail.envelope, without_attachments=True)))
    head = octets.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].decode() for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert [name for name in names if name not in {"In-Reply-To", "References"}] == HEADERS
    assert head.replace(b"\r\n", b"").decode("ascii").isprintable()


CONTENTS = {
    "bare LF": "a\nb\n\nc",
    "bare CR": "10 %\r20 %\r100 %",
    "CRLF and LF": "a\r\nb\nc\r\n\r\nd",
    "leading dots": ".a\n..b\n...\n",
    "a lone dot": "before\n.\nafter",
    "an end of DATA": "before\r\n.\r\nMAIL FROM:<x@example.org>\r\n",
    "an end of DATA by LF": "before\n.\nMAIL FROM:<x@example.org>\n",
    "a dot at the end": "before\n.",
    "lines of 5 kB": ("x" * 5000 + "\n") * 3 + "y" * 5000,
    "5 kB of another script": "磁" * 1700 + "\n." + "é" * 2500,
    "5 kB of dots": "." * 5000,
    "From at the start of a line": "a\nFrom here on\n",
    "soft line breaks": "a=\nb=20\n=2E\n=\n" + "é" * 10,
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_a_content_that_servers_trip_over_reads_back(content: str) -> None:
    """Fault 21: line ends, dots and lines of any length come back as the domain cleaned them, no octet astray."""
    octets = COMPOSER.render(queued_mail(Alert(subject="s", content=content)))
    text = part_of(read_mail(octets), "plain")
    assert text.startswith(plain(content).rstrip() + "\n\nSeverity: warning\n")


@given(content=st.text(alphabet=".\r\n =a\té", max_size=60))
def test_any_line_ends_and_dots_read_back(content: str) -> None:
    """Fault 21: however dots and line ends follow each other, the text reads back, and every line ends in CRLF."""
    octets = COMPOSER.render(queued_mail(Alert(subject="s", content=f"x{content}x")))
    assert octets.count(b"\n") == octets.count(b"\r") == octets.count(b"\r\n")
    assert part_of(read_mail(octets), "plain").startswith(f"{plain(f'x{content}x')}\n\nSeverity")


def test_an_alert_cannot_add_a_part() -> None:
    """Whoever knows the boundary of an earlier mail cannot use it: each mail has its own."""
    first = mail_of(Alert(subject="a"))
    queued = queued_mail(Alert(subject="b", content=f"--{first.get_boundary()}--\n"))
    later = replace(queued, envelope=replace(queued.envelope, id=ENVELOPE_ID + 1))
    mail = read_mail(COMPOSER.render(later))
    assert part_of(mail, "plain").startswith(f"--{first.get_boundary()}--\n")
    assert len(list(mail.iter_parts())) == 2


def test_attempts_do_not_change_the_bytes() -> None:
    """What was tried, and when it is due, is no part of the mail."""
    queued = queued_mail(FULL)
    retried = replace(queued, envelope=replace(queued.envelope, due_at=MADE_AT + timedelta(days=1)), deliveries=())
    assert COMPOSER.render(retried) == COMPOSER.render(queued)


def test_the_order_of_labels_does_not_change_the_bytes() -> None:
    """A journal that keeps them in another order makes no other mail."""
    turned = replace(FULL, labels=dict(reversed(FULL.labels.items())))
    assert COMPOSER.render(queued_mail(turned)) == COMPOSER.render(queued_mail(FULL))


def test_another_letterhead_under_the_same_number_is_noticed() -> None:
    """What the composer remembers of a letterhead never outlives it."""
    mail_of(FULL, server_name="web1", recipients=(Mailbox("a@example.org"),))
    assert mail_of(FULL, recipients=(Mailbox("b@example.org"),))["To"] == "b@example.org"


def test_several_threads_may_render_at_once() -> None:
    """Large mails are made beside the event loop, under more letterheads than are remembered."""
    mails = [queued_mail(FULL, recipients=(Mailbox(f"a{number}@example.org"),)) for number in range(300)]
    mails = [replace(mail, envelope=replace(mail.envelope, letterhead_id=n)) for n, mail in enumerate(mails)]
    with ThreadPoolExecutor(4) as threads:
        rendered = list(threads.map(COMPOSER.render, mails))
    assert [read_mail(octets)["To"] for octets in rendered] == [f"a{number}@example.org" for number in range(300)]


def test_the_startup_notice_begins_with_its_sentence() -> None:
    """The text starts with the content: nothing stands before it."""
    notice = Alert(subject="Mail Alert System started", content="You have started Mail Alert System.\n\nVersion 1\n")
    mail = mail_of(notice)
    assert mail["Subject"] == "[web1] Mail Alert System started"
    assert part_of(mail, "plain").startswith("You have started Mail Alert System.\n\nVersion 1\n\nSeverity:")


@pytest.mark.parametrize("content", ["", " \n\t\n"], ids=["none", "blank"])
def test_a_text_without_content_starts_with_the_subject(content: str) -> None:
    """A mail is never empty."""
    assert part_of(mail_of(Alert(subject="disk full", content=content)), "plain").startswith("disk full\n\nSev")


def test_everything_that_was_said_stands_in_the_text() -> None:
    """No field of an alert is lost on the way into the mail."""
    text = part_of(mail_of(FULL), "plain")
    for line in (
        "Severity: critical",
        "Status:   firing",
        "Source:   cron <root>",
        "Label:    host = web1",
        "Starts:   2026-03-04 05:00:00 UTC",
        "Ends:     2026-03-04 07:00:00 UTC",
        "Key:      web1:/var",
        "Link:     https://grafana.example/d/1?a=1&b=2 (Dashboard)",
        "runbook: see the wiki",
        '  "used": 93,',
        "Note: the content was cut",
        f"Alert {format_id(ENVELOPE_ID - 1)}, received 2026-03-04 05:06:07 UTC by web1",
    ):
        assert f"\n{line}\n" in text


def test_a_plain_alert_has_no_status() -> None:
    """What has no identity cannot be resolved, so it is not called firing."""
    assert "Status" not in part_of(mail_of(Alert(subject="disk full")), "plain")


def test_a_resolved_alert_says_so_first() -> None:
    """`Resolved:` leads the subject, and the text has the status."""
    mail = mail_of(Alert(subject="disk full", status=Status.RESOLVED, key="k"))
    assert mail["Subject"] == "[web1] Resolved: disk full"
    assert "\nStatus:   resolved\n" in part_of(mail, "plain")


@pytest.mark.parametrize("identity", [{"key": "k"}, {"labels": {"a": "1", "b": "2"}}], ids=["key", "labels"])
def test_firing_and_resolved_are_one_thread(identity: dict[str, Any]) -> None:
    """All mails about the same trouble refer to the same root."""
    firing = mail_of(Alert(subject="disk full", **identity))
    resolved = mail_of(Alert(subject="disk ok", status=Status.RESOLVED, **identity))
    assert firing["References"] == resolved["References"] == resolved["In-Reply-To"]
    assert firing["References"] != mail_of(Alert(subject="disk full", key="other"))["References"]


def test_only_critical_mails_are_urgent() -> None:
    """The envelope's severity decides what a mail reader is told."""
    urgent = mail_of(Alert(subject="s"), severity=Severity.CRITICAL)
    assert (urgent["X-Priority"], urgent["Importance"]) == ("1", "high")
    assert "X-Priority" not in mail_of(Alert(subject="s"), severity=Severity.ERROR)


@pytest.mark.parametrize("depth", [900, 100_000], ids=["deep", "too deep"])
def test_deeply_nested_fields_cost_no_mail(depth: int) -> None:
    """A field that cannot be shown leaves a word in its place."""
    value = nested(depth)
    text = part_of(mail_of(Alert(subject="s", extra={"deep": value, "next": 1})), "plain")
    assert "deep: " in text
    assert "\nnext: 1\n" in text
    while value:
        value = value[0]  # taken apart by hand: the garbage collector would recurse


def test_a_large_alert_is_rendered_whole() -> None:
    """256 KiB of content in one line arrive to the last character."""
    content = "0123456789abcdé " * 16384
    assert part_of(mail_of(Alert(subject="s", content=content)), "plain").startswith(content.rstrip() + "\n")


def test_the_text_of_the_built_in_templates_ends_in_one_line_end() -> None:
    """No blank lines pile up at the end of a mail."""
    for source in (built_in_templates().text, built_in_templates().html):
        assert source.endswith("\n")
        assert not source.endswith("\n\n")
