"""Which parts of a mail are its text, and which are files (RFC 2046 section 5.1, RFC 2387, RFC 2183)."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.mail.reading.part import Part

PLAIN, HTML = "text/plain", "text/html"
# The same text once more, for readers that show it better: RFC 1896, and pages for mail programs that run code.
_OTHER_FORMS = frozenset({"text/enriched", "text/richtext", "text/x-amp-html", "text/watch-html"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One multipart/alternative, as far as it concerns a part: the outermost around it, and by which of its children.

    Both are indices of parts; None where no alternative is around.
    """

    alternative: int | None = None
    child: int | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Indices of the parts that are text, with their choices, and of those that are files."""

    texts: tuple[tuple[int, Choice], ...]
    files: tuple[int, ...]


@dataclass(slots=True)
class _Around:
    """What is known of a part from the multiparts around it."""

    choice: Choice
    is_root: bool  # whether it may be the text of the mail, as no part of a related but its first one is
    children: int = 0


def lay_out(parts: Sequence[Part]) -> Layout:
    """Sort the parts, parents before children."""
    texts: list[tuple[int, Choice]] = []
    files: list[int] = []
    around: list[_Around] = []
    for index, part in enumerate(parts):
        here = _around(index, part, parts, around)
        around.append(here)
        if part.is_multipart:
            continue
        if _is_text(part, here):
            texts.append((index, here.choice))
        elif not (part.content_type in _OTHER_FORMS and here.choice.alternative is not None and not part.name):
            files.append(index)
    return Layout(tuple(texts), tuple(files))


def chosen_texts(parts: Sequence[Part], layout: Layout, blank: frozenset[int]) -> list[int]:
    """Return the parts whose text is the mail's: of an alternative the plain one, if it is not `blank`."""
    plain_child: dict[int, int | None] = {}
    for index, choice in layout.texts:
        if choice.alternative is not None and parts[index].content_type != HTML and index not in blank:
            plain_child.setdefault(choice.alternative, choice.child)
    return [
        index
        for index, choice in layout.texts
        if choice.alternative is None
        or (
            plain_child[choice.alternative] == choice.child and parts[index].content_type != HTML
            if choice.alternative in plain_child
            else parts[index].content_type == HTML
        )
    ]


def _around(index: int, part: Part, parts: Sequence[Part], around: list[_Around]) -> _Around:
    if part.parent is None:
        return _Around(Choice(), is_root=True)
    parent, outer = parts[part.parent], around[part.parent]
    outer.children += 1
    choice = outer.choice
    if choice.alternative is None and parent.content_type == "multipart/alternative":
        choice = Choice(part.parent, index)
    # RFC 2387 section 3.2: the first part is the one to show, `start` being hardly ever another. RFC 1847, RFC 6522:
    # behind the first part of these stand a signature and a report.
    only_first = parent.content_type in {"multipart/related", "multipart/signed", "multipart/report"}
    return _Around(choice, is_root=outer.is_root and (outer.children == 1 or not only_first))


def _is_text(part: Part, here: _Around) -> bool:
    """A text with a name is a file: some programs write `inline` for every file."""
    if part.parent is None:
        return part.main_type == "text" and part.disposition != "attachment"
    return part.content_type in {PLAIN, HTML} and part.disposition != "attachment" and not part.name and here.is_root
