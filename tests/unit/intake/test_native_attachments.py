"""Attachments in native JSON."""

from typing import Any

import pytest

from app.domain.attachment import Attachment
from app.intake.attachments import UNKNOWN_TYPE
from app.intake.formats import native
from app.intake.incoming import Rejected

HELLO = {"name": "a.txt", "content": "aGVsbG8="}


def kept(*attachments: Any) -> tuple[Attachment, ...]:
    return native.read({"subject": "x", "attachments": list(attachments)}).alerts[0].attachments


def test_attachment_arrives_decoded() -> None:
    """Base64 becomes the bytes of the file, and the name tells the type."""
    assert kept(HELLO) == (Attachment(name="a.txt", content_type="text/plain", size_bytes=5, data=b"hello"),)


@pytest.mark.parametrize("unsaid", [{}, {"name": None, "content_type": None}, {"name": "", "size": 5}])
def test_only_the_content_is_needed(unsaid: dict[str, Any]) -> None:
    """A file without a name gets one; a field that attachments do not have costs nothing."""
    (attachment,) = kept({"content": "aGVsbG8", **unsaid})
    assert (attachment.name, attachment.content_type) == ("attachment-1", "application/octet-stream")


def test_each_alert_of_an_array_has_its_own() -> None:
    """Attachments stay with the alert that they came with."""
    reading = native.read([{"subject": "a", "attachments": [HELLO]}, {"subject": "b"}])
    assert [len(alert.attachments) for alert in reading.alerts] == [1, 0]


def test_a_content_type_that_was_not_kept_is_told_once() -> None:
    """Two files with one trouble make one warning."""
    odd = HELLO | {"content_type": "nonsense"}
    assert native.read([{"subject": "a", "attachments": [odd, odd]}] * 2).warnings == (UNKNOWN_TYPE,)


@pytest.mark.parametrize(
    ("attachments", "pointer"),
    [
        pytest.param([HELLO, HELLO | {"content": "no!"}], "/attachments/1/content", id="no-base64"),
        pytest.param([{"name": "a"}], "/attachments/0/content", id="no-content"),
        pytest.param([HELLO | {"content": None}], "/attachments/0/content", id="null"),
        pytest.param([HELLO | {"content": 5}], "/attachments/0/content", id="number"),
        pytest.param([HELLO | {"name": 5}], "/attachments/0/name", id="name-number"),
        pytest.param([HELLO | {"content_type": ["a"]}], "/attachments/0/content_type", id="type-list"),
        pytest.param(["aGVsbG8="], "/attachments/0", id="no-object"),
        pytest.param("aGVsbG8=", "/attachments", id="no-list"),
        pytest.param([HELLO] * 21, "/attachments", id="many"),
    ],
)
def test_wrong_attachment_is_named(attachments: object, pointer: str) -> None:
    """Nothing is taken, and the sender knows what to mend."""
    with pytest.raises(Rejected) as caught:
        native.read({"subject": "x", "attachments": attachments})
    assert caught.value.problem.status == 422
    assert [error.pointer for error in caught.value.problem.errors] == [pointer]


def test_refusal_repeats_nothing_of_the_file() -> None:
    """A file may hold secrets, and answers end up in logs."""
    with pytest.raises(Rejected) as caught:
        native.read({"subject": "x", "attachments": [{"name": "a", "content": "canary!"}]})
    assert "canary" not in repr(caught.value.problem)
