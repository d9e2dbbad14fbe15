"""The names by which mails call charsets, beyond those that are registered, and the codecs that read them."""

import re
from encodings.aliases import aliases
from functools import lru_cache

from app.domain.charset import codec_of

# Codecs of Python that are charsets, met in mails that are old or come from far away.
_RARE = frozenset({
    "utf_7", "cp950", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_3", "iso2022_jp_ext",
    "euc_jis_2004", "euc_jisx0213", "shift_jis_2004", "shift_jisx0213", "cp273", "cp037", "cp500", "cp775", "cp855",
    "cp857", "cp858", "cp860", "cp861", "cp862", "cp863", "cp864", "cp865", "cp869", "cp1006", "cp1125", "cp1140",
    "hp_roman8", "koi8_t", "kz1048", "ptcp154", "mac_cyrillic", "mac_greek", "mac_iceland", "mac_latin2", "mac_turkish",
})  # fmt: skip
# By the name in lower case, its signs as "_".
_OTHER_NAMES = {
    # RFC 1555, RFC 1556: -i and -e say how the text turns at numbers, which all readers find out themselves.
    "iso_8859_8_i": "iso8859_8", "iso_8859_8_e": "iso8859_8", "iso_8859_6_i": "iso8859_6", "iso_8859_6_e": "iso8859_6",
    "gb_2312": "gb18030", "gb_2312_80": "gb18030", "csgb2312": "gb18030", "cn_gb": "gb18030", "gb2312_1980": "gb18030",
    "cn_big5": "big5", "big5_eten": "big5", "x_x_big5": "big5",
    "windows_31j": "cp932", "iso_2022_jp_ms": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext", "cp50221": "iso2022_jp_ext",
    "koi8": "koi8_r", "koi8_ru": "koi8_u",
    "unicode_1_1_utf_7": "utf_7", "unicode_1_1_utf_8": "utf_8", "utf_8_mac": "utf_8", "utf8mb4": "utf_8",
    # RFC 2781 section 4.3: without a mark, the octet that counts more comes first.
    "ucs_2": "utf_16_be", "iso_10646_ucs_2": "utf_16_be", "unicode": "utf_16_le",
    "latin_9": "iso8859_15", "latin_0": "iso8859_15", "8859_1": "cp1252", "ansi": "cp1252",
}  # fmt: skip
_SIGNS = re.compile(r"[\W_]+")
_PRIVATE_PREFIX = re.compile(r"(x|cs)[_-]")  # RFC 2045 section 6.3; RFC 2978 section 2.3
_CODE_PAGE = re.compile(r"(?:win|windows|cp|ibm|dos)_?([0-9]{3,4})")


@lru_cache(maxsize=256)  # a mail says the same ones over and over
def codec_named(charset: str) -> str | None:
    """Return the codec that reads `charset`, None if none does. A private name may have its prefix."""
    return _codec(charset) or _codec(_PRIVATE_PREFIX.sub("", charset.lower(), count=1))


def _codec(charset: str) -> str | None:
    if codec := codec_of(charset):
        return codec
    name = _SIGNS.sub("_", charset.lower()).strip("_")
    if other := _OTHER_NAMES.get(name):
        return other
    page = _CODE_PAGE.fullmatch(name)
    name = f"cp{page[1]}" if page else aliases.get(name, name)
    return name if name in _RARE else codec_of(name)
