"""Content-Disposition as clients write it, and as they should not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.disposition import Disposition, read_disposition


@pytest.mark.parametrize(
    ("raw", "filename"),
    [
        pytest.param(b'filename="log.gz"', "log.gz", id="curl"),
        pytest.param(b"filename=log.gz", "log.gz", id="token"),
        pytest.param(b'filename=""', "", id="nothing-chosen"),
        pytest.param(b'filename="a;b=c.txt"', "a;b=c.txt", id="semicolon"),
        pytest.param(b'filename="a\\"b.txt"', 'a"b.txt', id="quoted-pair"),
        pytest.param(b'filename="a%22b%0D%0A.txt"', 'a"b\r\n.txt', id="browser-escapes"),
        pytest.param(b'filename="100%25 %20.txt"', "100%25 %20.txt", id="other-percents-stay"),
        pytest.param('filename="Größe 磁.txt"'.encode(), "Größe 磁.txt", id="raw-utf-8"),
        pytest.param('filename="Größe.txt"'.encode("latin-1"), "Größe.txt", id="raw-latin-1"),
        pytest.param(b'filename="C:\\logs\\a.txt"', "C:\\logs\\a.txt", id="windows-path"),
        pytest.param(b"filename*=UTF-8''%e2%82%ac%20x.txt", "€ x.txt", id="extended"),
        pytest.param(b"filename*=utf-8'en'%e2%82%ac.txt; filename=\"EURO.txt\"", "€.txt", id="extended-outweighs"),
        pytest.param(b"filename*=iso-8859-1''%A3.txt", "£.txt", id="extended-latin-1"),
        pytest.param(b"filename*=unicode_escape''%5Cx41", "\\x41", id="extended-in-no-charset"),
        pytest.param(b"filename*=utf-8''%ff.txt", "\ufffd.txt", id="extended-broken"),
        pytest.param(b'filename*0="long"; filename*1="er.txt"', "longer.txt", id="continued"),
        pytest.param(b"filename*0*=utf-8''%e2%82; filename*1*=%ac.txt", "€.txt", id="continued-extended"),
        pytest.param(b'FileName="a.txt"', "a.txt", id="upper-case"),
        pytest.param(b"", None, id="none"),
    ],
)  # fmt: skip
def test_filename_is_read(raw: bytes, filename: str | None) -> None:
    """RFC 7578 section 4.2, RFC 2231, and what browsers and curl really send."""
    assert read_disposition(b'form-data; name="file"; ' + raw) == Disposition("file", filename)


@pytest.mark.parametrize("raw", [b"", b"form-data", b"form-data; =", b';;;"'])
def test_what_says_nothing_is_a_field_without_a_name(raw: bytes) -> None:
    """A part is not refused for its header."""
    assert read_disposition(raw) == Disposition("", None)


@pytest.mark.parametrize(
    "extended",
    [b"filename*=utf-8''a; filename*0=b", b"filename*0=b; filename*=c", b"filename*" + b"9" * 5000 + b"=b"],
    ids=["whole-and-first", "first-and-whole", "endless-number"],
)
def test_contradicting_extensions_are_left_out(extended: bytes) -> None:
    """The plain parameters count then."""
    raw = b'form-data; name="file"; filename="a.txt"; ' + extended
    assert read_disposition(raw) == Disposition("file", "a.txt")


PIECES = st.sampled_from(
    [b"form-data", b";", b"filename", b"name", b"*", b"0", b"=", b"'", b'"', b"%", b"\\", b"e2", b"\xff"]
)
PARAMETERS = st.builds(
    b"; %b%b=%b".__mod__,
    st.tuples(
        st.sampled_from([b"name", b"filename", b"x"]),
        st.sampled_from([b"", b"*", b"*0", b"*1", b"*0*", b"*1*", b"*01", b"**"]),
        st.sampled_from([b"", b"a", b'"a;b"', b"utf-8''%e2", b"'", b"%", b"\xff", b'"']),
    ),
)


@given(st.lists(PIECES | PARAMETERS | st.binary(max_size=4), max_size=30).map(b"".join))
def test_any_header_is_read(raw: bytes) -> None:
    """No header raises, and what comes out can be encoded."""
    disposition = read_disposition(raw)
    assert (disposition.name + (disposition.filename or "")).encode() is not None
