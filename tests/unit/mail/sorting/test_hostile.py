"""Mails made to harm: whatever the octets are, they are sorted, soon, and prove nothing that is not proved."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.mail_kind import MailKind
from app.mail.message_id import MessageIds
from tests.support.sorting import FORGED, OURS, SAMPLES, TOKEN, answer, bounce, sort

SIZE = 1 << 20
# Pieces of mails, bounces and answers, in any order.
# fmt: off
PIECES = st.sampled_from([
    "Return-Path: <>\n", "From: MAILER-DAEMON@x\n", "From: a@b\n", "Subject: failure notice\n",
    "X-Failed-Recipients: a@b\n", "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",
    "Content-Type: message/delivery-status\n", "Content-Type: text/html\n", "Content-Type: message/rfc822\n",
    "Content-Transfer-Encoding: base64\n", "\n", "\n\n", "--b\n", "--b--\n", "Final-Recipient: rfc822; a@b\n",
    "Action: failed\n", "Status: 5.1.1\n", "Diagnostic-Code: smtp; 550 no\n", "Original-Envelope-Id: ",
    "X-MailAlert-Id: ", "X-MailAlert-Probe: ", "Message-ID: ", "In-Reply-To: ", "References: ", "To: alerts+", ".0",
    "@example.org", "<", ">", "> ", "ack", "ok", " 2h", "On Sunday Dana wrote:\n", "-- \n", "\x00", "\r", "é",
    "<blockquote>", "<div class=gmail_quote>", "Hi. This is the qmail-send program.\n\n<a@b>:\nno\n",
    "Auto-Submitted: auto-replied\n",
])
# fmt: on


def repeated(head: str, again: str, tail: str = "") -> str:
    return head + again * (SIZE // len(again)) + tail


DAEMON = f"Return-Path: <>\nFrom: MAILER-DAEMON@x\nIn-Reply-To: <{TOKEN}@example.org>\nSubject: failure notice\n"
STATUS = f"{DAEMON}Content-Type: message/delivery-status\n\n"
# Patterns of the library that begin a list of addresses; behind them it searches every line for more.
LISTS = (
    "The following addresses had\nfailed addresses follow:\nA message that you sent could not be delivered\n"
    "Your message could not be delivered to\nInvalid final delivery userid:\nnot yet been delivered\n"
    "Your message has encountered delivery problems\nMessage not delivered to the following addresses\n"
)
HOSTILE = {
    "empty lines in a report": repeated(STATUS, "\n"),
    "blank lines in a report": repeated(STATUS, "\n  "),
    "groups": repeated(STATUS, "Action: failed\n\n"),
    "fields of a group": repeated(STATUS, "Action: failed\n"),
    "one long field": repeated(STATUS + "Diagnostic-Code: ", "x "),
    "long lines for the library": repeated(f"{DAEMON}\n{LISTS}", "a" * 240 + "\n"),
    "brackets for the library": repeated(f"{DAEMON}\n{LISTS}", "<" * 240 + "\n"),
    "one line for the library": repeated(f"{DAEMON}\n{LISTS}", "a@"),
    "parts for the library": repeated(f"{DAEMON}Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\nx\n"),
    "nested for the library": f"{DAEMON}"
    + "".join(f"Content-Type: multipart/mixed; boundary={n}\n\n--{n}\n" for n in range(20_000)),
    "mails in mails for the library": repeated(DAEMON, "Content-Type: message/rfc822\n\n"),
    "statuses in mails for the library": f"{DAEMON}Content-Type: message/rfc822\n\n{STATUS}" + "\n" * SIZE,
    "semicolons for the library": f"{DAEMON}Content-Type: text/plain" + ';"' * (SIZE // 2) + "\n\n",
    "names in the text": repeated(f"{DAEMON}\n", f"Message-ID: <{FORGED}@x>\n"),
    "marks before nothing": repeated(f"{DAEMON}\n", "> > | \n"),
    "references": answer("ack\n", to="<x>", headers=repeated("References: ", f"<{FORGED}@x> ", "\n")),
    "addresses": answer("ack\n", to="<x>", headers=repeated("Cc: ", f"a+{FORGED}@x,", "\n")),
    "quotes": answer(repeated("", "> \n")),
    "lines": answer(repeated("", "\n")),
    "one line": answer(repeated("ack", " ")),
    "introductions": answer(repeated("1", "1\n", ":\n> x\n\nack\n")),
    "digits": answer(repeated("ack ", "1")),
    "tags": answer(repeated("", "<div class="), kind="html"),
    "open tags": answer(repeated("", "<"), kind="html"),
    "long tags": answer(repeated("<p ", "gmail_quot"), kind="html"),
    "rules": answer(repeated("<p style='", "border-top:"), kind="html"),
    "many reports": repeated(
        f"{DAEMON}Content-Type: multipart/report; boundary=b\n\n",
        "--b\nContent-Type: message/delivery-status\n\n" + "a:\n" * 20_000 + "\n",
    ),
    "many headers that came back": repeated(
        f"{DAEMON}Content-Type: multipart/report; boundary=b\n\n",
        "--b\nContent-Type: message/rfc822\n\n" + "a:\n" * 500 + "\n",
    ),
    "long addresses": answer(
        "a" * 65_000,
        headers=f"{DAEMON}X-Failed-Recipients: " + ",\n ".join(f"{'a' * 200}{n:02}@b.c" for n in range(100)) + "\n",
    ),
    "letters that become many": answer(repeated("", "\ufdfa" * 200 + "\n")),
    "a subject": f"Subject: {'Automatic repl ' * 4000}\n\n",
    "stars": answer("*" * SIZE),
    "returned parts": repeated(
        f"{DAEMON}Content-Type: multipart/report; boundary=b\n\n", "--b\nContent-Type: message/rfc822\n\nA: b\n"
    ),
}


@settings(max_examples=500, deadline=None)
@given(octets=st.binary(max_size=300) | st.lists(PIECES, max_size=60).map(lambda pieces: "".join(pieces).encode()))
def test_any_octets_are_sorted(octets: bytes) -> None:
    """Nothing raises, and nothing is proved: no token stands in any of them."""
    found = sort(octets)
    assert found.kind in {MailKind.OTHER, MailKind.AUTOMATIC, MailKind.REPORT}
    assert (found.report, found.command, found.envelope_id, found.probe) == (None, None, None, None)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.sampled_from([TOKEN, f"<{TOKEN}@example.org>"]), max_size=60).map("".join))
def test_a_kind_comes_with_what_belongs_to_it(mail: str) -> None:
    """Whoever acts upon it needs not ask."""
    found = sort(mail)
    assert (found.kind is MailKind.BOUNCE) == (found.report is not None)
    assert (found.kind is MailKind.ACKNOWLEDGEMENT) == (found.command is not None)
    assert found.report is None or (found.report.envelope_id == found.envelope_id == OURS and found.report.recipients)
    assert found.command is None or found.envelope_id == OURS


@given(
    quoted=st.lists(
        st.sampled_from(["ack", "ok", "ack 2h", "unack", "> ack", "确认", "-- ", ""]), min_size=1, max_size=20
    )
)
@pytest.mark.parametrize("introduction", ["", "On 11/22/26 22:02, Dana wrote:\n", "> On 22 Nov 2026, Dana wrote:\n"])
def test_a_word_in_quoted_text_never_acknowledges(introduction: str, quoted: list[str]) -> None:
    """Alerts hold such words, and quote our own "Answer ack"."""
    body = introduction + "".join(f"> {line}\n" for line in quoted)
    assert sort(answer(body)).kind is MailKind.ANSWER
    page = "".join(f"<p>{line}</p>" for line in quoted)
    assert sort(answer(f"<blockquote>{page}</blockquote>", kind="html")).kind is MailKind.ANSWER


@given(key=st.binary(min_size=1, max_size=64), octets=st.binary(min_size=20, max_size=20))
@pytest.mark.parametrize("name", ["postfix-failed", "qmail", "microsoft-365"])
def test_no_other_key_makes_a_report(name: str, key: bytes, octets: bytes) -> None:
    """Nor do MACs that are guessed."""
    forged = MessageIds(key).probe_token(OURS)
    for token in (forged, f"{TOKEN[:14]}{octets.hex()[:20]}"):
        found = sort(bounce(name, token=token))
        assert (found.report, found.envelope_id) == (None, None)
        assert sort(answer("ack\n", to=f"<{token}@example.org>")).kind is MailKind.OTHER


@settings(max_examples=200, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", [path.stem for path in sorted((SAMPLES / "bounces").glob("*.eml"))])
def test_a_damaged_report_is_sorted(name: str, data: st.DataObject) -> None:
    """Cut off anywhere, or with octets in the place of others."""
    whole = bounce(name)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    found = sort(whole[:start] + data.draw(st.binary(max_size=10)) + whole[end:])
    assert found.envelope_id in {None, OURS}


@pytest.mark.timeout(30)  # it takes a second at most; what grows with the square would take minutes
@pytest.mark.parametrize("mail", HOSTILE.values(), ids=HOSTILE)
def test_time_is_bounded(mail: str) -> None:
    """A megabyte is sorted like a letter."""
    assert sort(mail).kind in MailKind
