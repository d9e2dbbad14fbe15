"""Spooled alerts: what is read back is what was written, and nothing else counts as one."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.receipt import claim_of, request_bytes
from app.domain.spooled import BrokenSpoolFile, SpooledAlert, decode_spooled, encode_spooled
from tests.support.clock import NOW

KEY = "0123456789abcdef" * 2
TOKEN = sha256(b"ma_token").digest()
ALERT = SpooledAlert(key=KEY, body=b'{"subject":"s"}\n\xff', made_at=NOW, fingerprint=TOKEN, receivers=("dba", "x\ny"))


def changed(**fields: object) -> bytes:
    """Return a file whose header has other fields; None takes one away."""
    header, _, body = encode_spooled(ALERT).partition(b"\n")
    whole = {name: value for name, value in {**json.loads(header), **fields}.items() if value is not None}
    return json.dumps(whole).encode() + b"\n" + body


@given(body=st.binary(), receivers=st.lists(st.text()), fingerprint=st.sampled_from([b"", TOKEN]))
def test_an_alert_comes_back_as_it_was(body: bytes, receivers: list[str], fingerprint: bytes) -> None:
    """The body byte for byte, and all that is needed to post it."""
    alert = SpooledAlert(key=KEY, body=body, made_at=NOW, fingerprint=fingerprint, receivers=tuple(receivers))
    assert decode_spooled(encode_spooled(alert)) == alert


@given(st.binary() | st.binary().map(lambda rest: b"{" + rest + b"\n" + rest))
def test_anything_else_is_broken_and_no_more(data: bytes) -> None:
    """Whatever is in a file, reading it raises one kind of error."""
    with pytest.raises(BrokenSpoolFile):
        decode_spooled(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null\n",
        b"[" * 60_000 + b"\n",
        encode_spooled(ALERT)[:-1],
        encode_spooled(ALERT) + b"x",
        changed(version=2),
        changed(key=KEY[1:]),
        changed(key="sentry/1234"),
        changed(key=5),
        changed(key=None),
        changed(fingerprint="00"),
        changed(fingerprint=None),
        changed(receivers="dba"),
        changed(receivers=[1]),
        changed(made_at="2026-03-04T05:06:07"),
        changed(made_at="soon"),
        changed(sha256="0" * 64),
        changed(padding="x" * 70_000),
    ],
    ids=lambda data: repr(data[-120:-100]) if len(data) > 120 else repr(data),
)
def test_a_damaged_file_is_told(data: bytes) -> None:
    """Half a file is no alert, and neither is one with a key that another's event may have."""
    with pytest.raises(BrokenSpoolFile):
        decode_spooled(data)


def test_its_claims_are_those_of_a_post() -> None:
    """A post that was taken, and whose answer was lost, is known again by its file."""
    query = [("receiver", name) for name in ALERT.receivers]
    sent = request_bytes(ALERT.body, format_name="native", query=query)
    with_token = claim_of(KEY, sent, fingerprint=TOKEN)
    without = claim_of(KEY, sent, fingerprint=b"")
    assert ALERT.claims() == (with_token, without)


def test_without_a_token_there_is_one_claim() -> None:
    """Nobody's key is named once."""
    alert = SpooledAlert(key=KEY, body=b"", made_at=NOW)
    assert alert.claims() == (claim_of(KEY, request_bytes(b"", format_name="native"), fingerprint=b""),)


def test_the_token_is_not_shown() -> None:
    """Neither its digest nor the alert's text stands in a repr, which may be logged."""
    assert "fingerprint" not in repr(ALERT)
    assert "subject" not in repr(ALERT)
