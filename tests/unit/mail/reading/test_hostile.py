"""Mails made to hurt: whatever the octets are, they are read, soon, and in little memory."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mail.reading.html_text import html_to_text
from app.mail.reading.reader import LIMITS, read_message

SIZE = 256 * 1024
MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"
# Pieces of mails, and what breaks them; in any order they make what no test would think of.
# fmt: off
PIECES = st.sampled_from(
    b"Subject: |From: |To: |Date: |References: |Message-ID: |Content-Type: |Content-Transfer-Encoding: |"
    b"Content-Disposition: |multipart/mixed|multipart/alternative|message/rfc822|text/html|text/plain|; boundary=|b|"
    b"; charset=|gb18030|utf-16|x-martian|; format=flowed|; name*0*=|utf-8''%C3|attachment; filename=|"
    b"=?utf-8?Q?=C3=A9?=|=?gb2312?B?|?=|base64|quoted-printable|x-uuencode|begin 644 a\n|$9&ES:P``|\nend\n|ZGlz|=3D|"
    b"\n|\r\n|\r|\n\n|\n--b|\n--b--|--|=|=\r|<p>|<a href=|<td>|<!--|<pre>|&#|&amp;|\0|\xff|\xb4\xc5|\x1b$B| |\t|"
    b'"|\\|<|>|(|)|,|;|:|@'.split(b"|")
)
# fmt: on


def repeated(head: bytes, again: bytes, tail: bytes = b"") -> bytes:
    return head + again * (SIZE // len(again)) + tail


HOSTILE = {
    "nested 2,000 deep": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000)
    ),
    "one boundary for all": repeated(b"", MIXED + b"--b\n"),
    "mails in mails": repeated(b"", b"Content-Type: message/rfc822\n\n"),
    "100,000 boundaries": MIXED + b"--b\n" * 100_000,
    "100,000 parts": MIXED + b"--b\n\nx\n" * 100_000,
    "nearly boundaries": repeated(MIXED, b"\n--"),
    "long header": repeated(b"Subject: ", b"x", b"\n\n"),
    "encoded words": repeated(b"Subject: ", b"=?utf-8?q?a?= ", b"\n\n"),
    "open encoded words": repeated(b"Subject: ", b"=?utf-8?q?a", b"\n\n"),
    "many headers": repeated(b"", b"a:\n", b"\n"),
    "folded for ever": repeated(b"a:\n", b" \n"),
    "sections": repeated(b"Content-Type: a/b; name*0*=utf-8''", b"%41", b"\n\n"),
    "headers without an end": MIXED + b"--b\nContent-Type: text/plain; a=b\n" * 5_000,
    "semicolons": repeated(b"Content-Type: text/plain", b";", b"\n\n"),
    "parameters": repeated(b"Content-Type: text/plain", b"; a", b"\n\n"),
    "open quotes": repeated(b"Content-Type: text/plain", b';a="\\', b"\n\n"),
    "addresses": repeated(b"From: ", b"a@b,", b"\n\n"),
    "comments": repeated(b"From: ", b"()", b"\n\n"),
    "escapes in comments": repeated(b"Auto-Submitted: ", b"(\\", b"\n\n"),
    "words of two charsets": repeated(b"Subject: ", b"=?x?q?=E9?= =?y?q?=E9?= ", b"\n\n"),
    "raw addresses": repeated(b"", b"To: \xc4\xc9, \xd3\xcb <a@b.c>\n", b"\n"),
    "parts of pages": MIXED + b"--b\nContent-Type: text/html\n\n<p>\xe9</p><p>\n" * 5_000,
    "parts of files": MIXED + b"--b\n\nbegin 644 x\n!\nbegin 644 x\n!\n" * 5_000,
    "charset to be guessed": repeated(b"\n", b"\xe9a "),
    "open brackets": repeated(b"From: ", b"a<", b"\n\n"),
    "commas": repeated(b"From: ", b",", b"\n\n"),
    "padding": repeated(b"Content-Transfer-Encoding: base64\n\n", b"A="),
    "spaces": repeated(b"Content-Transfer-Encoding: quoted-printable\n\n", b" ", b"x"),
    "soft line ends": repeated(b"Content-Transfer-Encoding: quoted-printable\n\n", b"=\r"),
    "uuencode": repeated(b"\n", b"begin 644 x\n!\n"),
    "uuencode of nothing": repeated(b"\nbegin 644 x\n", b"`\n"),
    "uuencode without a name": repeated(b"\nbegin 644 ", b" "),
    "flowed quotes": repeated(b"Content-Type: text/plain; format=flowed\n\n", b">\n"),
    "NULs": repeated(b"", b"\0"),
    "empty lines": repeated(b"", b"\n"),
    "wrong UTF-8": repeated(b"Content-Type: text/plain; charset=utf-8\n\n", b"\xff"),
}
PAGES = {
    "open tags": "<", "elements": "<div>", "cells": "<td>x<p></p>", "links": "<a href=http:x>a", "open quotes": '<a ="',
    "comments": "<!--", "declarations": "<!>", "lists": "<ul><li>a", "quotes": "<blockquote>a", "scripts": "<script>",
    "references": "&#", "lines": "<br>", "rows": "<tr><td>x", "spaces": "<a ", "attributes": "<a href=", "ends": "</a",
}  # fmt: skip


@settings(max_examples=500)
@given(octets=st.binary(max_size=300) | st.lists(PIECES, max_size=60).map(b"".join))
def test_any_octets_are_a_mail(octets: bytes) -> None:
    """Nothing raises, every text can be written down, and every file has a name."""
    mail = read_message(octets)
    texts = (mail.text, mail.html, mail.subject, str(mail.to), str(mail.references), *(f.file_name for f in mail.files))
    assert all(text.encode() is not None for text in texts)
    assert all(part.file_name and "\n" not in part.file_name for part in mail.files)


@given(
    page=st.text(max_size=300) | st.lists(PIECES, max_size=60).map(lambda pieces: b"".join(pieces).decode("latin-1"))
)
def test_any_page_is_a_text(page: str) -> None:
    """Nothing raises, and no text is without its last line end."""
    text = html_to_text(page)
    assert not text or (text.endswith("\n") and not text.endswith("\n\n"))


@pytest.mark.timeout(20)  # it takes a fraction of a second; what grows with the square would take minutes
@pytest.mark.parametrize("octets", HOSTILE.values(), ids=HOSTILE)
def test_time_and_memory_are_bounded(octets: bytes) -> None:
    """A mail costs a few dozen times its size while it is read, and is never more parts than the limit."""
    tracemalloc.start()
    try:
        mail = read_message(octets)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(mail.parts) <= LIMITS.max_parts + 1
    assert peak < 40 * len(octets) + 4_000_000


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", PAGES.values(), ids=PAGES)
def test_a_page_without_end_is_read(piece: str) -> None:
    """No page takes more than time in proportion, and the text is not many times as long as the page."""
    page = piece * (SIZE // len(piece))
    assert len(html_to_text(page)) <= 8 * len(page)
