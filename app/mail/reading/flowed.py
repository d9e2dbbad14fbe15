"""Text that was wrapped to be flowed again: the format=flowed of RFC 3676."""

from io import StringIO

from app.domain.text import plain

_SIGNATURE = "-- "  # section 4.3: never flowed


def unflow(text: str, *, delete_space: bool) -> str:
    """Return the text with its paragraphs in one line each; quotes stay quotes.

    `delete_space` is DelSp=yes: the space that marks a line as flowed is no part of the text (section 4.2).
    """
    flowed = StringIO()
    paragraph_depth: int | None = None  # of quotes, while the paragraph goes on
    for line in StringIO(plain(text)):
        content = line.rstrip("\n").lstrip(">")
        depth = len(line.rstrip("\n")) - len(content)
        content = content.removeprefix(" ")  # section 4.4: space-stuffing
        if paragraph_depth is not None and (paragraph_depth != depth or content == _SIGNATURE):
            flowed.write("\n")  # section 4.5: what should go on does not
            paragraph_depth = None
        if paragraph_depth is None and depth:
            flowed.write(">" * depth + " ")
        goes_on = content.endswith(" ") and content != _SIGNATURE
        flowed.write(content[:-1] if goes_on and delete_space else content)
        if not goes_on and line.endswith("\n"):
            flowed.write("\n")
        paragraph_depth = depth if goes_on else None
    return flowed.getvalue()
