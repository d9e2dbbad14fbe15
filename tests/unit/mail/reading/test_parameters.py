"""Content-Type and Content-Disposition: names of files in every form that programs send."""

import pytest

from app.domain.text import one_line
from app.mail.parameters import parameter
from app.mail.reading.parameters import read_parameters


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ('attachment; filename="df.txt"', "df.txt"),
        ("attachment; filename=df.txt;", "df.txt"),
        ("attachment; filename=my report.pdf; size=1", "my report.pdf"),
        ('attachment; filename="a;b.txt"', "a;b.txt"),
        (r'attachment; filename="a\"b\\c"', r'a"b\c'),
        (r'attachment; filename="C:\new\table.txt"', r"C:\new\table.txt"),
        ('attachment; FILENAME = "df.txt"', "df.txt"),
        ('attachment; filename="without an end', "without an end"),
        ("attachment; filename*=utf-8''%E7%A3%81.txt", "磁.txt"),
        ("attachment; filename*=gb2312'zh'%B4%C5.txt", "磁.txt"),
        ("attachment; filename*0*=utf-8''%E7%A3; filename*1*=%81; filename*2=.txt", "磁.txt"),
        ('attachment; filename*1="b"; filename*0="a"', "ab"),
        ('attachment; filename*0="a"; filename*2="c"', "a"),
        ("attachment; filename=old; filename*=utf-8''new", "new"),
        ("attachment; filename*=plain%20text", "plain text"),
        ('attachment; filename="=?gb18030?B?tMU=?= =?gb18030?B?xcw=?=.txt"', "磁盘.txt"),
        ('attachment; filename="磁盘.txt"', "磁盘.txt"),
        ("attachment; filename=a; filename=b", "a"),
    ],
    ids=[
        "quoted", "token", "spaces without quotes", "semicolon", "quoted pairs", "path of Windows", "capitals",
        "without an end", "RFC 2231", "its charset", "its sections", "sections out of order", "section missing",
        "both forms", "no charset", "encoded words", "raw", "twice",
    ],
)  # fmt: skip
def test_file_names(raw: str, name: str) -> None:
    """The name comes as it was meant."""
    assert read_parameters(raw).parameters["filename"] == name


@pytest.mark.parametrize("name", ["df.txt", "磁盘 97 %.txt", "é" * 200, "a'b''c%20.txt", '"quoted"'])
def test_our_own_names_come_back(name: str) -> None:
    """What the composer writes the reader reads."""
    written = "attachment" + parameter("filename", name).replace("\r\n", "")
    assert read_parameters(written).parameters["filename"] == one_line(name)


def test_the_value_is_in_lower_case() -> None:
    """Media types are compared without regard to case (RFC 2045 section 5.1)."""
    assert read_parameters(" Text/HTML ; Charset=UTF-8").value == "text/html"
