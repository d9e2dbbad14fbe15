"""The charset of what a mail does not declare: told by all of that together, since a subject alone is short."""

from collections.abc import Iterator, Sequence
from itertools import chain

from app.mail.reading.charset_names import codec_named
from app.mail.reading.charsets import charset_of_page, hint_of, is_utf_8, says_nothing
from app.mail.reading.detection import detect, sample_of
from app.mail.reading.tree import Node


def codec_of_undeclared(nodes: Sequence[Node], bodies: Sequence[bytes]) -> str:
    """Return the codec for octets that are in no declared charset, "" if there are none or nothing tells.

    `bodies` are those of the nodes, their transfer encoding undone. What a text of the mail declares is likely to
    hold for its header and its other texts too.
    """
    declared = (hint_of(charset_of(node)) for node in nodes if _is_text(node))
    likely = next(filter(None, declared), "")
    pieces = chain(_raw_fields(nodes), _undeclared_texts(nodes, bodies))
    return detect(sample_of(piece for piece in pieces if not piece.isascii() and not is_utf_8(piece)), likely)


def charset_of(node: Node) -> str:
    """Return what the node declares, "" for nothing."""
    return node.content_type.parameters.get("charset", "")


def _raw_fields(nodes: Sequence[Node]) -> Iterator[bytes]:
    return (field.raw for node in nodes for field in node.headers.fields)


def _undeclared_texts(nodes: Sequence[Node], bodies: Sequence[bytes]) -> Iterator[bytes]:
    for node, body in zip(nodes, bodies, strict=True):
        if _is_text(node) and _is_open(charset_of(node), body) and _is_open(charset_of_page(body), body):
            yield body


def _is_open(charset: str, body: bytes) -> bool:
    """Whether what is declared, "" for nothing, does not tell the charset of the text. UTF-8 is often said in vain."""
    codec = None if says_nothing(charset) else codec_named(charset)
    return codec is None or (codec == "utf_8" and not is_utf_8(body, is_declared=True))


def _is_text(node: Node) -> bool:
    return node.content_type.value.startswith("text/")
