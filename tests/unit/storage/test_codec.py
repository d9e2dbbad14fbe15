"""How things stand in the journal: whatever goes in comes out equal."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from app.domain.address import Mailbox
from app.domain.alert import Alert
from app.domain.answered import Answered
from app.domain.envelope import Letterhead, Templates
from app.domain.ids import MAX_ID
from app.storage.codec import decode_alert, decode_letterhead, encode_alert, encode_letterhead, from_ms, to_ms
from tests.support.any_alert import any_alert
from tests.support.factories import LETTERHEAD, an_attachment

# What the domain's texts hold: everything but lone surrogates (app/domain/text.py).
any_text = st.text(st.characters(exclude_categories=["Cs"]))
# Offsets, as they stand in a timestamp: two zones are never equal at a time that summer time repeats.
offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(timezones=offsets)
alerts = any_alert(
    any_text,
    moments,
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False),
)
mailboxes = st.builds(Mailbox, any_text, any_text)
letterheads = st.builds(
    Letterhead,
    server_name=any_text,
    sender=mailboxes,
    recipients=st.lists(mailboxes, max_size=3).map(tuple),
    templates=st.builds(Templates, any_text, any_text),
    is_alarm=st.booleans(),
    cc_count=st.integers(0, 3),
    bcc_count=st.integers(0, 3),
    reply_to=st.none() | mailboxes,
    receiver=any_text,
    reply_address=st.none() | mailboxes,
    verp=any_text,
    takes_answers=st.booleans(),
)


@given(alerts)
def test_an_alert_comes_back_equal(alert: Alert) -> None:
    """No field is lost, and what is written can be stored whatever it holds."""
    body = encode_alert(alert)
    assert body.encode()  # UTF-8 takes it
    assert decode_alert(json.loads(body)) == alert


def test_an_attachment_comes_back_without_its_contents() -> None:
    """Name, type and size stand beside the text; the contents have a table of their own."""
    body = encode_alert(Alert(subject="x", attachments=(an_attachment(b"12345"), an_attachment(b""))))
    assert b"12345" not in body.encode()
    expected = tuple(replace(an_attachment(data), data=b"") for data in (b"12345", b""))
    assert decode_alert(json.loads(body)).attachments == expected


@given(st.lists(mailboxes, max_size=3).map(tuple), st.lists(any_text, max_size=3).map(tuple), st.booleans())
def test_whom_a_sender_asked_for_comes_back(
    to: tuple[Mailbox, ...], receivers: tuple[str, ...], also_routed: bool
) -> None:
    """So that people can see afterwards why an alert went where it went."""
    alert = Alert(subject="x", to=to, receivers=receivers, also_routed=also_routed)
    assert decode_alert(json.loads(encode_alert(alert))) == alert


@given(any_text, st.lists(any_text, max_size=3).map(tuple), st.integers(0, MAX_ID))
def test_what_a_mail_answers_comes_back(message_id: str, references: tuple[str, ...], alert_id: int) -> None:
    """Every attempt at it goes into the same thread."""
    alert = Alert(subject="x", answers=Answered(message_id, references, alert_id))
    assert decode_alert(json.loads(encode_alert(alert))) == alert


def test_a_small_alert_is_small() -> None:
    """Every alert pays for its bytes, a million of them in one journal."""
    assert encode_alert(Alert(subject="disk full")) == '{"s":"disk full","v":"warning"}'


@given(letterheads)
def test_a_letterhead_comes_back_equal(letterhead: Letterhead) -> None:
    """Each attempt at a mail is rendered from the very same values."""
    assert decode_letterhead(encode_letterhead(letterhead)) == letterhead


def test_a_letterhead_of_version_1_is_the_same_text() -> None:
    """An upgrade does not store every letterhead again."""
    version_1 = {"server_name", "sender", "recipients", "templates"}
    assert json.loads(encode_letterhead(LETTERHEAD)).keys() == version_1
    assert json.loads(encode_letterhead(replace(LETTERHEAD, is_alarm=True))).keys() == version_1 | {"is_alarm"}


@given(st.integers(-(10**13), 10**13))
def test_milliseconds_are_exact(milliseconds: int) -> None:
    """No float rounds a time."""
    assert to_ms(from_ms(milliseconds)) == milliseconds


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_is_stored_to_the_millisecond(moment: datetime) -> None:
    """What is cut off is less than one, and always towards the past."""
    assert timedelta() <= moment - from_ms(to_ms(moment)) < timedelta(milliseconds=1)
