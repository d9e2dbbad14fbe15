"""Any tree of parts, written by hand and read back: each part where it was, with its type, name and octets."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.text import one_line
from app.mail.reading.reader import read_message
from tests.support.mail_corpus import PHRASES, TRANSFERS
from tests.support.mail_writing import NAME_FORMS, WrittenPart, file_part, multipart, parameter, text_part

SUBTYPES = st.sampled_from(["mixed", "alternative", "related", "signed", "x-unknown"])
TYPES = st.sampled_from(["application/pdf", "image/png", "text/x-log", "application/x-odd"])


@dataclass(frozen=True, slots=True)
class Expected:
    """What the reader must say of one part; `data` None for a multipart."""

    content_type: str
    name: str
    data: bytes | None
    depth: int


@st.composite
def texts(draw: st.DrawFn) -> tuple[WrittenPart, Any]:
    charset = draw(st.sampled_from(sorted(PHRASES)))
    lines = draw(st.lists(st.sampled_from([PHRASES[charset], "", "=", "--", "From x", "."]), max_size=4))
    text = "\n".join(lines)
    part = text_part(text, charset, draw(st.sampled_from(TRANSFERS)))
    return part, ("text/plain", "", text.replace("\n", "\r\n").encode(charset))


@st.composite
def files(draw: st.DrawFn) -> tuple[WrittenPart, Any]:
    content_type = draw(TYPES)
    name = draw(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)).strip()
    form = draw(st.sampled_from([form for form in NAME_FORMS if form.startswith("RFC")]))
    data = draw(st.binary(max_size=200))
    written = parameter("filename", name, "utf-8", form) if name else b""
    part = file_part(written, data, content_type=content_type, disposition="attachment")
    return part, (content_type, one_line(name.removeprefix("\ufeff")), data)


@st.composite
def multiparts(draw: st.DrawFn, children: st.SearchStrategy[Any]) -> tuple[WrittenPart, Any]:
    subtype = draw(SUBTYPES)
    drawn = draw(st.lists(children, min_size=1, max_size=4))
    return multipart(subtype, *(part for part, _ in drawn)), (f"multipart/{subtype}", [what for _, what in drawn])


TREES = st.recursive(texts() | files(), multiparts, max_leaves=15)


def flat(what: Any, depth: int = 0) -> list[Expected]:
    if len(what) == 3:
        return [Expected(*what, depth)]
    content_type, children = what
    inside = [part for child in children for part in flat(child, depth + 1)]
    return [Expected(content_type, "", None, depth), *inside]


@given(tree=TREES)
def test_a_tree_comes_back(tree: tuple[WrittenPart, Any]) -> None:
    """Parts are found in their order and their depth, and nothing is wrong with a mail that is well-formed."""
    part, what = tree
    mail = read_message(b"From: a@b.c\r\nMIME-Version: 1.0\r\n" + part.render())
    read = [
        Expected(part.content_type, part.name, None if part.is_multipart else part.data, part.depth)
        for part in mail.parts
    ]
    assert read == flat(what)
    assert mail.defects == ()
