"""MIME parameters, held against the parser of the standard library."""

from email import message_from_string, policy

import pytest
from hypothesis import given

from app.domain.text import one_line
from app.mail.parameters import parameter
from tests.support.mails import any_text

NAMES = {
    "empty": ("", ['filename=""']),
    "plain": ("access.log", ['filename="access.log"']),
    "spaces": ("my report.pdf", ['filename="my report.pdf"']),
    "accents": ("Größe.txt", ["filename*=utf-8''Gr%C3%B6%C3%9Fe.txt"]),
    "quote": ('a"b\\c', ["filename*=utf-8''a%22b%5Cc"]),
    "looks encoded": ("=?utf-8?q?x?=", ["filename*=utf-8''%3D%3Futf-8%3Fq%3Fx%3F%3D"]),
    "percent and apostrophe": ("50%'s", ['filename="50%\'s"']),
    "long": ("x" * 61, [f"filename*0*=utf-8''{'x' * 54}", f"filename*1*={'x' * 7}"]),
}


def read_back(written: str) -> str:
    field = f"Content-Disposition: attachment{written}\r\n\r\n"
    message = message_from_string(field, policy=policy.default)
    assert message.keys() == ["Content-Disposition"]
    header = message["Content-Disposition"]
    assert header.defects == ()
    return str(header.params["filename"])


@pytest.mark.parametrize(("name", "lines"), NAMES.values(), ids=NAMES.keys())
def test_a_name_is_written_as_plainly_as_it_can_be(name: str, lines: list[str]) -> None:
    """Plain ASCII stands between quotes, the rest in the forms of RFC 2231 sections 3 and 4."""
    assert parameter("filename", name) == "".join(f";\r\n {line}" for line in lines)


@given(any_text)
def test_any_name_reads_back_in_one_line(name: str) -> None:
    """Whatever a name holds, the reader finds it cleaned, in one parameter of one field."""
    assert read_back(parameter("filename", name)) == one_line(name)


@given(any_text)
def test_lines_are_short_ascii(name: str) -> None:
    """No line has more than 76 columns, none holds a control character, each is a continuation."""
    first, *lines = parameter("filename", name).split("\r\n")
    assert first == ";"
    assert all(len(line) <= 76 and line.isascii() and line.isprintable() for line in lines)
    assert all(line.startswith(" filename") for line in lines)


def test_a_character_is_never_cut() -> None:
    """Readers that decode each section by itself find whole characters in it."""
    for line in parameter("filename", "磁🔥" * 40).split("\r\n ")[1:]:
        octets = line.partition("=")[2].removeprefix("utf-8''").rstrip(";").replace("%", "")
        assert "\ufffd" not in bytes.fromhex(octets).decode(errors="replace")
