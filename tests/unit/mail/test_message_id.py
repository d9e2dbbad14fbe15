"""Message-IDs: stable, and not to be forged."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.ids import MAX_ID
from app.mail.message_id import MessageIds
from tests.support.mails import any_text

IDS = MessageIds(b"k" * 32)
GENUINE = IDS.make(123456789, "example.org")


@given(st.integers(0, MAX_ID))
def test_a_message_id_of_ours_is_recognised(envelope_id: int) -> None:
    """What was made is verified, to the same envelope."""
    assert IDS.verify(IDS.make(envelope_id, "example.org")) == envelope_id


def test_the_same_envelope_has_the_same_message_id_after_a_restart() -> None:
    """The Message-ID follows from the id and the key alone."""
    assert MessageIds(b"k" * 32).make(123456789, "example.org") == GENUINE


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
    message_id = IDS.make(1, domain)
    assert message_id.isascii()
    assert re.fullmatch(r"<[^<>\s]+>", message_id)


def test_a_thread_root_is_not_a_message_id_of_a_mail() -> None:
    """A key chosen to look like an envelope's id gets nothing that verifies."""
    root = IDS.thread_root(GENUINE[1:14], "example.org")
    assert GENUINE[15:35] not in root
    assert IDS.verify(root) is None
