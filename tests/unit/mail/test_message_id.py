"""Message-IDs: stable, and not to be forged."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alert import Alert
from app.domain.envelope import Envelope
from app.domain.ids import MAX_ID
from app.mail.message_id import MessageIds, safe_domain
from tests.support.mails import any_text, queued_mail

IDS = MessageIds(b"k" * 32)


def envelope(envelope_id: int, *, without_attachments: bool = False) -> Envelope:
    mail = queued_mail(Alert(subject="s"))
    return replace(mail.envelope, id=envelope_id, without_attachments=without_attachments)


def made(ids: MessageIds, of: Envelope) -> str:
    return f"<{ids.envelope_token(of)}@example.org>"


GENUINE = made(IDS, envelope(123456789))


@given(st.integers(0, MAX_ID), st.booleans())
def test_a_message_id_of_ours_is_recognised(envelope_id: int, without_attachments: bool) -> None:
    """What was made is verified, to the same envelope, with its attachments and without."""
    assert IDS.verify(made(IDS, envelope(envelope_id, without_attachments=without_attachments))) == envelope_id


def test_a_mail_without_its_attachments_has_another_message_id() -> None:
    """It is a new message: a relay that remembers the first one must not take it for a duplicate."""
    reduced = made(IDS, envelope(123456789, without_attachments=True))
    assert reduced != GENUINE
    assert reduced[:14] == GENUINE[:14]


def test_the_same_envelope_has_the_same_message_id_after_a_restart() -> None:
    """The Message-ID follows from the id and the key alone."""
    assert made(MessageIds(b"k" * 32), envelope(123456789)) == GENUINE


def test_it_has_the_form_of_the_design() -> None:
    """`<id.mac@domain>`, as RFC 5322 section 3.6.4 allows it."""
    assert re.fullmatch(r"<[0-9A-Z]{13}\.[0-9a-f]{20}@example\.org>", GENUINE)


FORGED = {
    "another id": GENUINE.replace("<0", "<1"),
    "another mac": GENUINE.replace(GENUINE[15:35], "0" * 20),
    "no mac": "<0000000000000@example.org>",
    "another system's": "<20260304.1234@example.org>",
    "id too large": GENUINE.replace("<0", "<Z"),
    "not ASCII": GENUINE.replace(GENUINE[15:35], "é" * 20),
    "header injection": GENUINE + "\r\nBcc: x@example.org",
    "empty": "",
}


@pytest.mark.parametrize("message_id", FORGED.values(), ids=FORGED.keys())
def test_a_forged_message_id_is_not_recognised(message_id: str) -> None:
    """Without the key no Message-ID passes for ours."""
    assert IDS.verify(message_id) is None


@given(any_text)
def test_verify_takes_any_text(text: str) -> None:
    """Whatever an answer names, it is looked at without an error."""
    assert IDS.verify(text) is None


def test_another_key_makes_another_mac() -> None:
    """A Message-ID of another installation is not ours."""
    assert MessageIds(b"other").verify(GENUINE) is None


@pytest.mark.parametrize("written", [GENUINE.lower(), GENUINE.upper(), GENUINE.strip("<>"), f" {GENUINE} "])
def test_a_message_id_that_a_relay_or_reader_rewrote_is_recognised(written: str) -> None:
    """Case, brackets and space around do not matter."""
    assert IDS.verify(written) == 123456789


@given(any_text)
def test_no_domain_breaks_the_field(domain: str) -> None:
    """Whatever the domain holds, one printable ASCII token comes out."""
    assert re.fullmatch(r"[!-;=?-~]+", safe_domain(domain))


def test_a_thread_root_is_not_a_message_id_of_a_mail() -> None:
    """A key chosen to look like an envelope's id gets nothing that verifies."""
    root = IDS.thread_root(GENUINE[1:14], "example.org")
    assert GENUINE[15:35] not in root
    assert IDS.verify(root) is None


def test_ours_are_told_from_others() -> None:
    """A mail of ours that comes back is known by its Message-ID."""
    assert IDS.is_ours(GENUINE)
    assert not IDS.is_ours("<1@example.org>")
    assert not IDS.is_ours("")
