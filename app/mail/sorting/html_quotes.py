"""Where in a page the mail that is answered begins, by what mail programs put around it and its text does not show."""

import re

MAX_PAGE = 256 * 1024  # characters that are looked at; Word's style sheet, which comes first, has up to a hundred KiB
# In a class, an id or a type. Gmail, Outlook (for the desktop, the web, phones, Hotmail), Thunderbird, Yahoo, Proton,
# Tutanota, Zoho, NetEase (163, 126), GMX and web.de, Roundcube.
_NAMES = (
    "gmail_quote", "gmail_attr", "divRplyFwdMsg", "appendonsend", "ms-outlook-mobile-reference-message",
    "OutlookMessageHeader", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote", "tutanota_quote", "zmail_extra",
    "isReplyContent", "ntes-mailmaster-quote", "reply-intro",
    r"""name\s{0,8}=\s{0,8}["']?quote\b""",
)  # fmt: skip
# Outlook for the desktop rules a line above the block of From, Sent, To and Subject: "border-top:solid #E1E1E1 1.0pt".
_RULE = r"border-top:[^;\"'<>]{0,40}\bsolid\b"
_QUOTE = re.compile(rf"<(?:blockquote\b|[a-z][^<>]{{0,1000}}?(?:{'|'.join(_NAMES)}|{_RULE}))", re.IGNORECASE)


def above_quotes(page: str) -> str:
    """Return the page as far as its first quote."""
    page = page[:MAX_PAGE]
    quote = _QUOTE.search(page)
    return page[: quote.start()] if quote else page
