"""A mail that answers a person's: it stands behind theirs in the thread, and holds nothing that they could forge."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alert import Alert
from app.domain.answered import Answered
from app.mail.answering import MAX_REFERENCES, answering
from app.mail.compose import Composer
from tests.support.mails import any_text, queued_mail, read_mail

COMPOSER = Composer(mac_key=b"k" * 32)
THEIRS = "<3@x.example>"


def headers(message_id: str, *references: str) -> dict[str, str]:
    """Return the fields by their names, unfolded."""
    text = answering(Answered(message_id, references, alert_id=1)).replace("\r\n ", " ")
    return dict(line.split(": ", 1) for line in text.split("\r\n")[:-1])


def test_an_answer_follows_the_mail_that_it_answers() -> None:
    """RFC 5322 section 3.6.4: behind the references of that mail stands the mail itself."""
    expected = {"In-Reply-To": THEIRS, "References": f"<1@x.example> <2@x.example> {THEIRS}"}
    assert headers(THEIRS, "<1@x.example>", "<2@x.example>") == expected


def test_an_answer_in_a_new_thread_refers_to_one_mail() -> None:
    """Also where that mail names itself among its references."""
    expected = {"In-Reply-To": THEIRS, "References": THEIRS}
    assert headers(THEIRS) == headers(THEIRS, THEIRS) == expected


def test_a_long_thread_keeps_its_root_and_its_end() -> None:
    """Readers need no more, and headers do not grow without end."""
    names = [f"<{number}@x.example>" for number in range(1000)]
    kept = headers(THEIRS, *names)["References"].split(" ")
    assert kept == [names[0], *names[1 - MAX_REFERENCES :], THEIRS]


UNSOUND = {
    "empty": "",
    "no brackets": "3@x.example",
    "two lines": "<3@x.example>\r\nBcc: x@example.org",
    "two lines within": "<3@x\r\n.example>",
    "two of them": "<3@x.example> <4@x.example>",
    "an encoded-word": "<=?utf-8?q?x?=@x.example>",
    "another script": "<磁@x.example>",
    "endless": f"<{'x' * 300}@x.example>",
}


@pytest.mark.parametrize("unsound", UNSOUND.values(), ids=UNSOUND.keys())
def test_what_is_no_message_id_is_left_out(unsound: str) -> None:
    """It comes from a stranger, and the headers are ours."""
    assert headers(unsound) == {}
    assert headers(unsound, "<1@x.example>") == {"References": "<1@x.example>"}
    assert headers(THEIRS, unsound) == headers(THEIRS)


@given(message_id=any_text | any_text.map("<{}>".format), references=st.lists(any_text | any_text.map("<{}>".format)))
def test_no_message_id_breaks_the_mail(message_id: str, references: list[str]) -> None:
    """Whatever a stranger calls his mail, ours is sound, and says that a program answers."""
    answered = Answered(message_id, tuple(references), alert_id=1)
    mail = read_mail(COMPOSER.render(queued_mail(Alert(subject="s", answers=answered))))
    assert mail["Auto-Submitted"] == "auto-replied"
    assert len(set(mail.keys())) == len(mail.keys())


def test_an_answer_is_in_the_thread_of_the_person() -> None:
    """Not in that of the trouble, which a key or labels would give it."""
    alert = Alert(subject="s", key="k", labels={"a": "1"}, answers=Answered(THEIRS, (), alert_id=1))
    mail = read_mail(COMPOSER.render(queued_mail(alert)))
    assert (mail["In-Reply-To"], mail["References"]) == (THEIRS, THEIRS)
