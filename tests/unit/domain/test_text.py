"""Text made safe: what these functions return can be trusted everywhere."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.text import cut_middle, one_line, plain, shorten, without_surrogates
from tests.support.mails import any_text

printable = st.text(st.characters(exclude_categories=["Cs"]))


@given(any_text)
def test_one_line_is_one_line(text: str) -> None:
    """No control character, no line end of any kind, no lone surrogate and no blank at the ends is left."""
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in line)
    assert line == line.strip()


@given(any_text)
def test_one_line_of_one_line_changes_nothing(text: str) -> None:
    """Cleaning twice is cleaning once."""
    assert one_line(one_line(text)) == one_line(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("disk full", "disk full"),
        ("  disk full \t", "disk full"),
        ("disk\r\nBcc: x@example.org", "disk Bcc: x@example.org"),
        ("a\x00\x1b[31mb", "a [31mb"),
        ("Größe\u2028von\x85/var", "Größe von /var"),
        ("\udc80", "\ufffd"),
        ("\r\n", ""),
    ],
    ids=["clean", "ends", "header injection", "NUL and escape", "separators", "surrogate", "nothing left"],
)
def test_one_line_examples(text: str, line: str) -> None:
    """A run of control characters becomes one space."""
    assert one_line(text) == line


@given(any_text)
def test_plain_text_has_lf_and_tab_and_no_other_ascii_control(text: str) -> None:
    """Running text can be encoded, and holds no CR, NUL or escape."""
    clean = plain(text)
    clean.encode()
    assert not any((char < " " and char not in "\t\n") or char == "\x7f" for char in clean)


@given(any_text)
def test_plain_keeps_every_line(text: str) -> None:
    """However lines are ended, there are as many afterwards."""
    ends = text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    assert plain(text).count("\n") == ends
    assert plain(plain(text)) == plain(text)


@given(printable)
def test_sound_text_keeps_its_characters(text: str) -> None:
    """Only surrogates are replaced."""
    assert without_surrogates(text) == text


@given(any_text)
def test_text_without_surrogates_can_be_encoded(text: str) -> None:
    """Each lone surrogate becomes one replacement character."""
    clean = without_surrogates(text)
    clean.encode()
    assert len(clean) == len(text)


@given(printable, st.integers(1, 50))
def test_shortened_text_fits_and_says_so(text: str, limit: int) -> None:
    """What is cut ends in an ellipsis; what fits stays."""
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text if len(text) <= limit else short.endswith("…")


long_texts = st.builds(str.__mul__, st.text(st.sampled_from("aé漢\U0001f4a5\n"), max_size=50), st.integers(1, 100))


@given(long_texts, st.integers(100, 3000))
def test_text_cut_in_the_middle_fits_and_keeps_both_ends(text: str, limit: int) -> None:
    """No character is broken, the note tells the size, and the end of a log is kept."""
    cut = cut_middle(text, limit)
    assert len(cut.encode()) <= limit
    if cut != text:
        head, note, tail = cut.partition(f"\n\n[… {len(text.encode())} bytes in all, the middle was cut …]\n\n")
        assert note
        assert text.startswith(head)
        assert text.endswith(tail)
        assert len(tail.encode()) >= len(head.encode()) >= 3
