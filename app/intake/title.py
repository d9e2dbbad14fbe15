"""Header fields that people fill in, the Title above all: UTF-8, else Latin-1, or RFC 2047."""

from app.domain.text import one_line
from app.mail.reading.encoded_words import decode_words


def read_title(field: str) -> str:
    """Return a header field, its octets given as Latin-1, as one line; "" if there is none.

    An encoded word that nothing can be made of stays as it is.
    """
    octets = field.encode("latin-1", "replace")
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = field  # RFC 9110 section 5.5: what fields were once allowed to hold
    return one_line(decode_words(text).text) or one_line(text)
