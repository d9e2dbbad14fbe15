"""Text made safe: no control character where one line is meant, no lone surrogate anywhere."""

import re

# C0, DEL, C1, and the separators that some readers take for a line end (U+2028, U+2029).
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# In running text TAB and LF stay; CR has become LF by then.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"  # Unicode section 23.8: stands for what could not be read


def without_surrogates(text: str) -> str:
    """Return `text` with each lone surrogate replaced, so that it can be encoded."""
    return text if text.isascii() else _SURROGATES.sub(REPLACEMENT, text)


def one_line(text: str) -> str:
    """Return `text` as one line: runs of control characters become one space, the ends are stripped.

    RFC 5322 section 2.2: a header field body holds no CR or LF; what comes out of here never does.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    return _CONTROLS.sub(" ", without_surrogates(text)).strip()


def plain(text: str) -> str:
    """Return running text: line ends as LF, other control characters of ASCII made visible as U+FFFD."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNPRINTABLE.sub(REPLACEMENT, without_surrogates(text))


def shorten(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters, an ellipsis for what was cut at its end."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def cut_middle(text: str, limit_bytes: int) -> str:
    """Return `text` in at most `limit_bytes` (100 or more) of UTF-8, cut in the middle: the end of a log matters."""
    data = text.encode()
    if len(data) <= limit_bytes:
        return text
    note = f"\n\n[… {len(data)} bytes in all, the middle was cut …]\n\n"
    room = limit_bytes - len(note.encode())
    head, tail = data[: room // 3], data[-(room - room // 3) :]
    return head.decode(errors="ignore") + note + tail.decode(errors="ignore")
