"""A person's own words are told from what mail programs put around them, in any program and language."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.acknowledgement import AckAction
from app.domain.mail_kind import MailKind
from app.mail.sorting.own_lines import MAX_LINES
from app.mail.sorting.sorted_mail import AckCommand, SortedMail
from tests.support.sorting import OURS, SAMPLE_ID, SAMPLES, TOKEN, answer, sort

ACKNOWLEDGED = AckCommand(AckAction.ACKNOWLEDGED)
TWO_HOURS = AckCommand(AckAction.ACKNOWLEDGED, timedelta(hours=2))
# Bodies as mail programs send them, `{own}` being what the person wrote above the alert. That begins with "ack", "ok".
BODIES = sorted((SAMPLES / "answers").iterdir())


def sorted_answer(body: Path, own: str) -> SortedMail:
    """Return what the answer of that form is in which the person wrote `own`."""
    kind = "html" if body.suffix == ".html" else "plain"
    return sort(answer(body.read_text().replace("{own}", own), kind=kind))


def command_in(body: str, *, kind: str = "plain") -> AckCommand | None:
    """Return what the answer commands."""
    return sort(answer(body, kind=kind)).command


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.name)
def test_what_a_person_writes_above_the_quote_counts(body: Path) -> None:
    """Whatever stands below."""
    found = sorted_answer(body, "ack 2h")
    assert (found.kind, found.envelope_id, found.command) == (MailKind.ACKNOWLEDGEMENT, OURS, TWO_HOURS)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.name)
@pytest.mark.parametrize("own", ["", "I will not ack this."], ids=["empty", "a sentence"])
def test_what_is_quoted_never_counts(body: Path, own: str) -> None:
    """The quoted alert says "ack" and "ok" in lines of their own."""
    found = sorted_answer(body, own)
    assert (found.kind, found.command) == (MailKind.ANSWER, None)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("reply-ack-gmail.eml", TWO_HOURS),
        ("reply-ack-outlook-html-only.eml", ACKNOWLEDGED),
        ("reply-ack-qqmail-gb18030.eml", ACKNOWLEDGED),
        ("auto-reply-out-of-office.eml", None),
    ],
)
def test_the_samples_are_what_their_table_says(name: str, command: AckCommand | None) -> None:
    """As real programs sent them, but for what they answer."""
    sample = (SAMPLES / name).read_bytes()
    found = sort(sample.replace(SAMPLE_ID, f"<{TOKEN}@example.org>".encode()))
    assert found.command == command
    assert found.kind is (MailKind.ACKNOWLEDGEMENT if command else MailKind.AUTOMATIC)


@pytest.mark.parametrize(
    "introduction",
    [
        "",
        "On 11/22/26 22:02, Mail Alert System wrote:\n",
        "Am 22.11.26 um 22:02 schrieb Mail Alert System:\n",
        "Mail Alert System <alerts@example.org>\nwrites:\n\n",
        "在 2026/11/22 22:02, Mail Alert System 写道:\n",
    ],
    ids=["none", "english", "german", "emacs", "chinese"],
)
def test_an_answer_below_the_quote_counts(introduction: str) -> None:
    """Thunderbird begins there, and marks every line of the quote."""
    assert command_in(f"{introduction}> disk full\n>\n> ok\n\nack 2h\n\n-- \nDana\n") == TWO_HOURS


@pytest.mark.parametrize(
    "body",
    [
        "On 11/22/26, Mail Alert System wrote:\n> a line that was cut at its end and\nack\n",
        "On 11/22/26, Mail Alert System wrote:\n> disk full\n\nack\n\n> more of it\n",
        "On 11/22/26, Mail Alert System wrote:\n> disk full\n\nI do not know\n\nack\n",
        "Not now.\n\nOn 11/22/26, Mail Alert System wrote:\n> disk full\n\nack\n",
        "Not now.\nOn 11/22/26, Mail Alert System wrote:\n> disk full\n\nack\n",
        "Hello,\n> disk full\n\nack\n",
        "On 11/22/26, Mail Alert System wrote:\n\ndisk full\n\nack\n",
        "Hello\n\nack\n",
        "> ack\n",
        ">ok\n\n",
        "\n" * MAX_LINES + "ack\n",
    ],
    ids=[
        "the rest of a quoted line", "between quotes", "not the first", "words above", "words close above",
        "a greeting above", "a quote without marks", "a second line", "a quote alone", "a quote and nothing",
        "far below",
    ],
)  # fmt: skip
def test_what_may_be_quoted_or_is_not_the_first_line_does_not_count(body: str) -> None:
    """An alert must not fall silent by mistake."""
    assert command_in(body) is None


def test_below_a_quote_in_a_page_nothing_counts() -> None:
    """Not every program says where in a page its quote ends."""
    assert command_in("<blockquote>disk full</blockquote><p>ack</p>", kind="html") is None


def test_the_subject_does_not_count() -> None:
    """It is the alert's, and who changes it has not answered."""
    mail = answer("\n").replace("Subject: Re: [web1] disk full", "Subject: ack")
    assert sort(mail).kind is MailKind.ANSWER


def test_the_plain_text_counts_where_there_is_one() -> None:
    """It is what the person wrote, without the work of taking a page apart."""
    head, _, _ = answer("").partition("Content-Type")
    parts = "--b\n\nack\n\n> ok\n--b\nContent-Type: text/html\n\n<p>something else</p>\n--b--\n"
    assert sort(f"{head}Content-Type: multipart/alternative; boundary=b\n\n{parts}").command == ACKNOWLEDGED


def test_an_empty_plain_text_beside_a_page_is_passed_over() -> None:
    """Some programs add one for form's sake."""
    head, _, _ = answer("").partition("Content-Type")
    page = (SAMPLES / "answers" / "outlook.html").read_text().replace("{own}", "ack")
    parts = f"--b\n\n \n--b\nContent-Type: text/html\n\n{page}\n--b--\n"
    assert sort(f"{head}Content-Type: multipart/alternative; boundary=b\n\n{parts}").command == ACKNOWLEDGED
