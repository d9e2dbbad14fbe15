"""Names of charsets as mails write them."""

import pytest

from app.mail.reading.charset_names import codec_named


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("GB2312", "gb18030"),
        ("gb_2312-80", "gb18030"),
        ("x-gbk", "gb18030"),
        ("csGB2312", "gb18030"),
        ("cn-big5", "big5"),
        ("cp950", "cp950"),
        ("ks_c_5601-1987", "cp949"),
        ("x-sjis", "cp932"),
        ("windows-31j", "cp932"),
        ("ISO-2022-JP-2", "iso2022_jp_2"),
        ("ISO-8859-8-I", "iso8859_8"),
        ("windows-874", "cp874"),
        ("win-1251", "cp1251"),
        ("ibm-850", "cp850"),
        ("x-mac-cyrillic", "mac_cyrillic"),
        ("koi8-ru", "koi8_u"),
        ("unicode-1-1-utf-7", "utf_7"),
        ('utf-8"', "utf_8"),
        ("x-martian", None),
        ("rot13", None),
        ("base64", None),
        ("", "utf_8"),
    ],
)
def test_names(name: str, codec: str | None) -> None:
    """Registered or not, a name that programs use is understood, and no codec that is no charset is."""
    assert codec_named(name) == codec
