"""Addresses as they stand in headers."""

import pytest

from app.domain.address import Mailbox
from app.mail.reading.addresses import MAX_MAILBOXES, read_mailboxes


@pytest.mark.parametrize(
    ("raw", "mailboxes"),
    [
        ("ops@example.org", [Mailbox("ops@example.org")]),
        ("Ops <ops@example.org>", [Mailbox("ops@example.org", "Ops")]),
        ('"Ops, Night" <ops@example.org>, b@c.d', [Mailbox("ops@example.org", "Ops, Night"), Mailbox("b@c.d")]),
        (r'"A \"B\" C" <a@b.c>', [Mailbox("a@b.c", 'A "B" C')]),
        ('"=?gb18030?B?1/PRqQ==?=" <a@b.c>', [Mailbox("a@b.c", "左雪")]),
        ("=?utf-8?Q?Ops=2C?= =?utf-8?Q?_Night?= <a@b.c>", [Mailbox("a@b.c", "Ops, Night")]),
        ("root (Cron Daemon)", [Mailbox("root", "Cron Daemon")]),
        ("root@web1 (Cron (nested) Daemon)", [Mailbox("root@web1", "Cron (nested) Daemon")]),
        ("undisclosed-recipients:;", []),
        ("Night: a@b.c, d@e.f; g@h.i", [Mailbox("a@b.c"), Mailbox("d@e.f"), Mailbox("g@h.i")]),
        ("<@relay,@other:a@b.c>", [Mailbox("a@b.c")]),
        ("<>", []),
        ("Ops <a@b.c", [Mailbox("a@b.c", "Ops")]),
        ("Ops (night <a@b.c>", [Mailbox("a@b.c", "Ops night")]),
        ("左雪 <a@b.c>", [Mailbox("a@b.c", "左雪")]),
        (",, ,a@b.c,", [Mailbox("a@b.c")]),
        ("nobody at all", []),
        (r"a@b.c (x \) y)", [Mailbox("a@b.c", "x ) y")]),
        ("=?utf-8?B?T3BzIDxhQGIuYz4=?=", [Mailbox("a@b.c", "Ops")]),
        ("=?gb18030?B?1/M=?=\t=?gb18030?B?0ak=?= <a@b.c>", [Mailbox("a@b.c", "左雪")]),
        ('"=?gb18030?B?1/M=?= =?gb18030?Q?=D1=A9?=" <a@b.c>', [Mailbox("a@b.c", "左雪")]),
    ],
    ids=[
        "bare", "name", "comma in a name", "quoted pairs", "encoded in quotes", "encoded", "local with a comment",
        "nested comment", "empty group", "group", "route", "null sender", "no closing bracket", "open comment", "raw",
        "empty entries", "no address", "escaped in a comment",
        "encoded with its name", "encoded and folded", "encoded in quotes and folded",
    ],
)  # fmt: skip
def test_mailboxes(raw: str, mailboxes: list[Mailbox]) -> None:
    """Names and addresses are found in what programs write."""
    assert list(read_mailboxes(raw)) == mailboxes


def test_a_list_without_end_is_cut() -> None:
    """A header of a megabyte costs no more than a long list of people."""
    assert len(read_mailboxes("a@b.c, " * 200_000)) == MAX_MAILBOXES
