"""Encoded words of RFC 2047: as the RFC has them, and as programs write them."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail.reading import encoded_words
from app.mail.reading.charsets import UNKNOWN_CHARSET
from app.mail.reading.encoded_words import decode_words


def word(octets: bytes, charset: str = "utf-8") -> str:
    return f"=?{charset}?B?{b64encode(octets).decode()}?="


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("=?ISO-8859-1?Q?a?=", "a"),
        ("=?ISO-8859-1?Q?a?= b", "a b"),
        ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a?=   \t =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a_b?=", "a b"),
        ("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
    ],
    ids=["one", "with text", "two", "white space between", "underscore", "two charsets"],
)
def test_the_examples_of_the_rfc(raw: str, text: str) -> None:
    """RFC 2047 section 8 says how these are shown."""
    assert decode_words(raw).text == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (word("磁盘".encode()[:4]) + " " + word("磁盘".encode()[4:]), "磁盘"),
        ("=?gb18030?B?tA==?= =?GB18030?Q?=C5=C5=CC?=", "磁盘"),
        ("=?utf-8?B?w6k=?==?utf-8?Q?=C3=A9?=", "éé"),
        ("=?utf-8?Q??= =?utf-8?Q?a?=  =?utf-8?Q??= b", "a b"),
        ("=?utf-8?B?w6 k?=", "é"),
        ("=?iso-8859-8-i?Q?=F9=EC=E5=ED?=", "שלום"),
        ("=?windows-31j?B?h0A=?=", "①"),
        ("=?big5?B?+dY=?=", "碁"),
        ("=?utf-7?Q?+eMF22A-?=", "磁盘"),
        (word("朱镕基".encode("gbk"), "GB2312"), "朱镕基"),
        (word("磁盘".encode("gb18030"), "x-gbk"), "磁盘"),
        (word("ディスク".encode("iso2022_jp"), "ISO-2022-JP"), "ディスク"),
        ("=?us-ascii*en?Q?Keith_Moore?=", "Keith Moore"),
        ("=?utf-8?Q?Really??=", "Really?"),
        ("=?utf-8?Q?with raw space?=", "with raw space"),
        ("Re:=?utf-8?Q?=C3=A9?=!", "Re:é!"),
        ("=?utf-8?B?w6k?=", "é"),
        ("=?utf-8?Q??=", ""),
        ("=?utf-8?q?broken =?utf-8?q?good?=", "=?utf-8?q?broken good"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?utf-8?B?w6k", "=?utf-8?B?w6k"),
        ("=?unknown-8bit?Q?=C3=A9?=", "é"),
    ],
    ids=[
        "character split across two", "split between B and Q", "no space between", "empty words", "folded within",
        "name of RFC 1556", "name of Windows", "more than Big5", "UTF-7",
        "gb2312 is really gbk", "private name", "7-bit Japanese", "with a language",
        "question mark", "raw space", "no space around", "no padding", "empty", "cut off before another",
        "unknown encoding", "without an end", "charset unknown to the sender",
    ],
)  # fmt: skip
def test_what_programs_write(raw: str, text: str) -> None:
    """What can be understood is, and the rest stays as it stands."""
    assert decode_words(raw).text == text


def test_an_unknown_charset_is_told() -> None:
    """A guess is better than nothing, and it is said that it is one."""
    decoded = decode_words("=?x-martian?Q?caf=E9?=")
    assert decoded.text == "café"
    assert decoded.warnings == (UNKNOWN_CHARSET,)


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_any_words_are_joined(texts: list[str]) -> None:
    """Whatever was encoded comes back, in however many words."""
    # A mark at the beginning of a text is no part of it.
    assert decode_words(" ".join(word(text.encode()) for text in texts)).text == "".join(texts).removeprefix("\ufeff")


def test_words_are_decoded_so_often_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A header of nothing else must not keep a processor busy; the rest stays as it stands."""
    monkeypatch.setattr(encoded_words, "MAX_WORDS", 2)
    assert decode_words("=?utf-8?Q?a?= =?utf-8?Q?b?= =?utf-8?Q?c?=").text == "ab =?utf-8?Q?c?="
