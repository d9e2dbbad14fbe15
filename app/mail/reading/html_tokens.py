"""HTML cut into tags and text, in time that grows with its length, whatever it holds.

The HTML standard's tokens as far as a text needs them. Of a tag only the attributes that are asked for are read.
"""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

# "<" begins a tag only before these; anywhere else it is a "<" that somebody forgot to escape.
_MARKUP = re.compile(r"<(?=[a-zA-Z/!?])")
_NAME = re.compile(r"/?([a-zA-Z][^\s/>]{0,40})")
_BARE = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,40})>")  # most tags have nothing but a name
# A newsletter has a few thousand. What follows is read in one go: tags alone must not keep a processor for seconds.
MAX_TAGS = 50_000
_ANY_TAG = re.compile(r"<(?=[a-zA-Z/!?])[^>]*+>?")
_TAG_STOP = re.compile(r">|=\s{0,8}([\"'])")
_ATTRIBUTE = r"""(?<![^\s"'/])%s\s{0,8}=\s{0,8}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"""
_ATTRIBUTES = {name: re.compile(_ATTRIBUTE % name, re.IGNORECASE) for name in ("href", "alt")}
# No more digits than a character can have: int() of thousands would raise.
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?")
# Their content is no text for people, and not made of tags either.
_HIDDEN = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in ("script", "style", "title", "textarea")}


class Tag(NamedTuple):  # made in a third of the time of a frozen dataclass, and a page has many
    """A tag: its name in lower case, whether it ends an element, and its inside as it stands."""

    name: str
    is_end: bool
    inside: str

    def attribute(self, name: str) -> str:
        """Return the value of `href` or `alt`, "" for none."""
        found = _ATTRIBUTES[name].search(self.inside)
        return unescape(found[1] or found[2] or found[3] or "") if found else ""


def tokens(page: str, max_tags: int = MAX_TAGS) -> Iterator[Tag | str]:
    """Yield the page's tags and, with its references resolved, its text. Comments, scripts and styles are left out.

    A tag without an end is text, and so is all that follows it: nothing behind it can be told from the tag.
    Behind `max_tags` of them a tag is no more than a space.
    """
    position = tags = 0
    while start := _MARKUP.search(page, position):
        if position < start.start():
            yield unescape(page[position : start.start()])
        tags += 1
        if tags > max_tags:
            yield unescape(_ANY_TAG.sub(" ", page[start.start() :]))
            return
        bare = _BARE.match(page, start.start())
        if bare:
            tag = Tag(bare[2].lower(), bool(bare[1]), "")
            yield tag
            position = _end_of_hidden(page, tag, bare.end() - 1) + 1
            continue
        position = start.end()
        if page[position] in "!?":
            position = _end_of_comment(page, position)
            continue
        named = _NAME.match(page, position)
        end = _end_of_tag(page, position) if named else page.find(">", position)
        if end < 0:
            position = start.start()
            break
        if named:
            tag = Tag(named[1].lower(), page[position] == "/", page[named.end() : end])
            yield tag
            end = _end_of_hidden(page, tag, end)
        position = end + 1
    if position < len(page):
        yield unescape(page[position:])


def unescape(text: str) -> str:
    """Return `text` with its character references resolved."""
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


def _end_of_comment(page: str, start: int) -> int:
    """Return where the text goes on behind a comment or declaration; one without an end hides the rest."""
    opening, closing = ("!--", "-->") if page.startswith("!--", start) else ("", ">")
    # The standard: <!--> is a whole comment.
    end = page.find(closing, start + len(opening) - (2 if opening else 0))
    return len(page) if end < 0 else end + len(closing)


def _end_of_tag(page: str, position: int) -> int:
    """Return where the `>` of the tag is, -1 for nowhere: one between the quotes of a value ends nothing."""
    while stop := _TAG_STOP.search(page, position):
        if stop[1] is None:
            return stop.start()
        closing = page.find(stop[1], stop.end())
        position = stop.end() if closing < 0 else closing + 1
    return -1


def _end_of_hidden(page: str, tag: Tag, end: int) -> int:
    """Return the end of the tag, or, of an element whose content is hidden, where its end tag is about to begin."""
    if tag.is_end or tag.name not in _HIDDEN:
        return end
    closing = _HIDDEN[tag.name].search(page, end)
    return len(page) if closing is None else closing.start() - 1
