"""A page of HTML as text that people can read: paragraphs, lists, quotes, rows of tables, links with their URLs.

It reads tags one after the other and builds no tree: a stray or missing end tag, or a million of them, costs nothing.
"""

import re
from dataclasses import dataclass

from app.domain.text import plain
from app.mail.reading.html_tokens import MAX_TAGS, Tag, tokens
from app.mail.reading.text_layout import TextLayout

_SPACE = re.compile(r"[ \t\n\r\f]+")  # HTML standard: ASCII white space; a no-break space stays
# fmt: off
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "dl", "figure", "fieldset"})
_LINES = frozenset({
    "div", "tr", "dt", "dd", "section", "article", "header", "footer", "main", "aside", "nav", "address",
    "form", "center", "caption", "figcaption", "body", "legend",
})
# fmt: on
# Of these a reader of the text can make something.
_LINK = re.compile(r"(?:https?|ftp|mailto|tel|sms):", re.IGNORECASE)
MAX_URL = 2000  # characters; what is longer was made for machines
MAX_NESTING = 1000  # lists in lists that are remembered; nobody sees the difference


def html_to_text(page: str, max_tags: int = MAX_TAGS) -> str:
    """Return the page as text with LF for line ends, one at its end if there is any text.

    Behind `max_tags` tags nothing but words is left of it.
    """
    converter = _Converter()
    for token in tokens(page, max_tags):
        if isinstance(token, str):
            converter.take_text(token)
        elif token.is_end:
            converter.end(token)
        else:
            converter.start(token)
    return plain(converter.finish())


@dataclass(slots=True)
class _List:
    """A list whose end is still to come, and how many items it has had."""

    is_numbered: bool
    items: int = 0


class _Converter:
    """Turns tags into what the layout knows: breaks, markers and depths."""

    def __init__(self) -> None:
        self._layout = TextLayout()
        self._preformatted = 0
        self._lists: list[_List] = []
        self._link = ""
        self._link_text: list[str] = []

    def take_text(self, text: str) -> None:
        if self._preformatted:
            self._layout.add_lines(text)
        else:
            self._layout.add(_SPACE.sub(" ", text))
        if self._link:
            self._link_text.append(text)

    def start(self, tag: Tag) -> None:
        name = tag.name
        if name == "br":
            self._layout.new_line()
        elif name in _PARAGRAPHS or name in _LINES:
            self._break_for(name)
        elif name in {"td", "th"}:
            self._layout.new_cell()
        elif name == "a":
            self._end_link()
            self._begin_link(tag)
        elif name == "img":
            self._layout.add(self._picture(tag))
        else:
            self._start_nested(name)

    def end(self, tag: Tag) -> None:
        name = tag.name
        if name in _PARAGRAPHS or name in _LINES:
            self._break_for(name)
        elif name == "a":
            self._end_link()
        elif name == "blockquote":
            self._layout.end_paragraph()
            self._layout.quotes = max(self._layout.quotes - 1, 0)
        elif name == "pre":
            self._preformatted = max(self._preformatted - 1, 0)
            self._layout.end_paragraph()
        elif name in {"ul", "ol"}:
            self._end_list()

    def finish(self) -> str:
        self._end_link()
        return self._layout.finish()

    def _break_for(self, name: str) -> None:
        if name == "tr":
            self._layout.new_row()
        elif name in _PARAGRAPHS:
            self._layout.end_paragraph()
        else:
            self._layout.end_line()

    def _start_nested(self, name: str) -> None:
        match name:
            case "li":
                self._start_item()
            case "ul" | "ol":
                self._start_list(is_numbered=name == "ol")
            case "blockquote":
                self._layout.end_paragraph()
                self._layout.quotes += 1
            case "pre":
                self._layout.end_paragraph()
                self._preformatted += 1
            case "hr":
                self._layout.end_line()
                self._layout.add("-" * 10)
                self._layout.end_line()

    def _start_list(self, *, is_numbered: bool) -> None:
        if not self._lists:
            self._layout.end_paragraph()
        else:
            self._layout.end_line()
        if len(self._lists) < MAX_NESTING:
            self._lists.append(_List(is_numbered))
        self._layout.indent = len(self._lists) - 1

    def _end_list(self) -> None:
        if self._lists:
            self._lists.pop()
        self._layout.indent = max(len(self._lists) - 1, 0)
        if self._lists:
            self._layout.end_line()
        else:
            self._layout.end_paragraph()

    def _start_item(self) -> None:
        around = self._lists[-1] if self._lists else _List(is_numbered=False)
        around.items += 1
        marker = f"{around.items}. " if around.is_numbered else "- "
        self._layout.begin_item(marker, is_first=around.items == 1 and len(self._lists) <= 1)

    def _begin_link(self, tag: Tag) -> None:
        url = tag.attribute("href").strip()
        self._link = url if len(url) <= MAX_URL and url.isprintable() and _LINK.match(url) else ""
        self._link_text = []

    def _end_link(self) -> None:
        """Write the URL behind the text, unless that is the URL itself."""
        if not self._link:
            return
        url, text = self._link, _SPACE.sub(" ", "".join(self._link_text)).strip()
        self._link, self._link_text = "", []
        bare = re.sub(r"^(?:https?://|mailto:|tel:)", "", url, flags=re.IGNORECASE).rstrip("/")
        if text.rstrip("/") not in {url.rstrip("/"), bare}:
            self._layout.add_attached(f"<{url}>")

    def _picture(self, tag: Tag) -> str:
        """A picture is what stands for it, which in a link is often all of its text."""
        shown = _SPACE.sub(" ", tag.attribute("alt")).strip()
        return f"[{shown}]" if shown else ""
