"""The octets of a mail, held against the parser of the standard library."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.text import plain
from app.mail.serialise import serialise
from tests.support.mails import part_of, read_mail

any_running_text = st.text() | st.text(alphabet="a =é\t\r\n.磁-")
CONTENTS = {
    "empty": ("", "7bit"),
    "no line end": ("disk full", "7bit"),
    "leading dots": (".\n..\n.hidden\n", "7bit"),
    "lone CR": ("10 %\r20 %\r30 %", "7bit"),
    "CRLF": ("a\r\nb\r\n", "7bit"),
    "trailing space": ("a \nb\t\n", "7bit"),
    "longest line": ("x" * 998, "7bit"),
    "a line too long by one": ("x" * 999, "quoted-printable"),
    "lines of 5 kB": (("x" * 5000 + "\n") * 3, "quoted-printable"),
    "some accents": ("Größe überschritten auf dem Server\n" * 20, "quoted-printable"),
    "CJK": ("磁盘空间不足\n" * 50, "base64"),
    "emoji": ("🔥" * 2000, "base64"),
    "right to left": ("القرص ممتلئ\n" * 20, "base64"),
    "control characters": (
        "a\x00b\x1b[31mc\x7f and much more to read, in ASCII, so that few octets are not",
        "quoted-printable",
    ),
}


def mail_of(text: str) -> bytes:
    return serialise(headers="", token="t", text=text, html=text)


@pytest.mark.parametrize(("text", "encoding"), CONTENTS.values(), ids=CONTENTS.keys())
def test_a_text_travels_in_the_lightest_encoding(text: str, encoding: str) -> None:
    """Each kind of text gets the encoding that fits it, and reads back cleaned."""
    mail = read_mail(mail_of(text))
    (part, _) = mail.iter_parts()
    assert part["Content-Transfer-Encoding"] == encoding
    assert part_of(mail, "plain").removesuffix("\n") == plain(text).removesuffix("\n")


@given(any_running_text)
def test_any_text_reads_back_in_both_parts(text: str) -> None:
    """What goes in comes out of both parts, cleaned and with one line end at its end."""
    mail = read_mail(mail_of(text))
    expected = plain(text if text.endswith("\n") else text + "\n")
    assert part_of(mail, "plain") == expected
    assert part_of(mail, "html") == expected


@given(st.text(alphabet="a =é\t\n.", min_size=60, max_size=200))
@example("é" + "a" * 68 + "\t\n")  # white space in the last column made a line of 77
@example("é" + "a" * 69 + " \n")
@example("é" + "a" * 70 + " \nb")
def test_quoted_printable_lines_have_76_columns(text: str) -> None:
    """RFC 2045 section 6.7, rule 5, also where a line ends in white space."""
    octets = mail_of(text + "a" * 999)
    assert b"quoted-printable" in octets or b"base64" in octets
    body = octets.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert part_of(read_mail(octets), "plain") == text + "a" * 999 + "\n"


def test_base64_lines_have_76_columns() -> None:
    """RFC 2045 section 6.8."""
    assert max(map(len, mail_of("磁" * 5000).split(b"\r\n"))) == 76


def test_a_lone_surrogate_costs_no_mail() -> None:
    """What no encoding can carry is replaced."""
    assert part_of(read_mail(mail_of("a\ud800b")), "plain") == "a\ufffdb\n"


def test_lines_end_in_crlf_only() -> None:
    """RFC 5321 section 2.3.8: no CR and no LF alone, in any part."""
    octets = mail_of("a\nb\rc\r\nd" + "é" * 200)
    assert octets.count(b"\n") == octets.count(b"\r") == octets.count(b"\r\n")
