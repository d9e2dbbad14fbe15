"""The Title header, which gives a text its subject: UTF-8, else Latin-1, or RFC 2047."""

import binascii
import re

from app.domain.charset import codec_of
from app.domain.text import one_line

# RFC 2047 section 2. No part of it can hold what ends it, so a hostile header costs linear time.
_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bq])\?([^?\s]*)\?=", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"(?<=\?=)[ \t]+(?==\?)")


def read_title(raw: bytes) -> str:
    """Return the title as one line, "" if there is none. An encoded word that is broken stays as it is."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")  # RFC 9110 section 5.5: what fields were once allowed to hold
    # RFC 2047 section 6.2: white space between two encoded words is not part of the text.
    return one_line(_WORD.sub(_decode_word, _BETWEEN_WORDS.sub("", text)))


def _decode_word(word: re.Match[str]) -> str:
    charset, encoding, encoded = word.groups()
    codec = codec_of(charset.partition("*")[0])  # RFC 2231 section 5: a language may follow the charset
    if codec is None:
        return word[0]
    try:
        data = encoded.encode("ascii")
        data = binascii.a2b_qp(data, header=True) if encoding in "qQ" else binascii.a2b_base64(data + b"==")
        return data.decode(codec, "backslashreplace")
    except (UnicodeEncodeError, binascii.Error):
        return word[0]
