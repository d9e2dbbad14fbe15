"""What mails are made of: the words that the fuzzer mixes, and the mails that it begins with."""

from pathlib import Path

# fmt: off
WORDS = (
    b"From: ", b"To: ", b"Cc: ", b"Reply-To: ", b"Subject: ", b"Date: ", b"Message-ID: ", b"In-Reply-To: ",
    b"References: ", b"Auto-Submitted: auto-replied\r\n", b"X-MailAlert-Id: ", b"Content-Type: ",
    b"Content-Transfer-Encoding: ", b"Content-Disposition: attachment; filename=",
    b"multipart/mixed; boundary=b\r\n", b"multipart/alternative; boundary=b\r\n", b"multipart/report; boundary=b\r\n",
    b"multipart/related; boundary=c\r\n", b"message/rfc822\r\n", b"message/delivery-status\r\n", b"text/plain",
    b"text/html", b"text/rfc822-headers\r\n", b"application/ms-tnef\r\n", b"; charset=", b"utf-8", b"utf-16", b"utf-7",
    b"gb2312", b"iso-2022-jp", b"hz", b"koi8-r", b"big5", b"x-martian", b"; format=flowed; delsp=yes", b"; name=",
    b"; filename*0*=utf-8''%C3", b"; filename*1*=%A9", b"=?utf-8?Q?=C3?=", b"=?utf-8?B?w6k=?=", b"=?gb2312?B?",
    b"?=", b"=?", b"base64\r\n", b"quoted-printable\r\n", b"x-uuencode\r\n", b"begin 644 a.txt\n$9&ES:P``\n`\nend\n",
    b"ZGlzaw==", b"=3D", b"=\r\n", b"\r\n\r\n", b"\n--b\n", b"\n--b--\n", b"\n--c\n", b"\r\n ", b"<a@b.c>", b"(", b")",
    b'"', b"\\", b",", b";", b":", b"Action: failed\r\n", b"Final-Recipient: rfc822; a@b.c\r\n", b"Status: 5.1.1\r\n",
    b"Sun, 22 Nov 2026 12:00:07 +0800", b"ack 2h\n", b"> ", b"-- \n", b"<html>", b"<p>", b"<a href=http:x>", b"</a>",
    b"<table><tr><td>", b"<ul><li>", b"<pre>", b"<blockquote>", b"<script>", b"<style>", b"<!--", b"-->", b"&#x41;",
    b"&amp;", b"<meta charset=gb2312>", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b$B", b"\xc4\xc9", b"\xb4\xc5", b"\0",
)
REPEATED = (  # head, what is repeated, tail
    (b"Subject: ", b"=?utf-8?Q?=C3?= ", b"\n\n"),
    (b"From: ", b'"(<a@b.c>\\,', b"\n\n"),
    (b"Content-Type: a/b", b"; name*0*=%41", b"\n\n"),
    (b"Content-Type: multipart/mixed; boundary=b\n", b"\n--b\nContent-Type: text/html\n\n<p>", b"\n--b--\n"),
    (b"\n", b"begin 644 a\n!\n", b"end\n"),
    (b"Content-Transfer-Encoding: quoted-printable\n\n", b"= \t\r", b"\n"),
    (b"Content-Type: text/html\n\n", b"<a href='x'><td>", b""),
    (b"In-Reply-To: <1@a.b>\n\n", b"ack\n> wrote:\n", b"-- \n"),
)
# fmt: on


def samples() -> list[bytes]:
    """Return the real mails of the tests."""
    folder = Path(__file__).parents[1] / "mail-samples"
    return [path.read_bytes() for path in sorted(folder.glob("*.eml"))]
