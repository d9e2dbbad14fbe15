"""The text of a mail from the parts that hold it: decoded, flowed again, files taken out of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.text import plain
from app.mail.reading.body import HTML, chosen_texts, lay_out
from app.mail.reading.charsets import UNDECODABLE, read_as, read_text
from app.mail.reading.detection import sample_of, sure_codec
from app.mail.reading.flowed import unflow
from app.mail.reading.html_text import html_to_text
from app.mail.reading.html_tokens import MAX_TAGS
from app.mail.reading.naming import file_name
from app.mail.reading.part import Part
from app.mail.reading.transfer import BROKEN
from app.mail.reading.uuencode import MAX_FILES, UuFile, find_files

MAX_DETECTIONS = 10  # of charsets of texts that are not in theirs; one takes a few milliseconds
TEXT_CUT = "the text was too long to be read as a whole"


@dataclass(frozen=True, slots=True)
class Body:
    """The text, the HTML as it came, and the files in the order of the mail."""

    text: str
    html: str
    files: tuple[Part, ...]


@dataclass(slots=True)
class BodyReader:
    """Reads the body of one mail. `bytes_left` is how much of it may still be read as text.

    `hint` is the codec of texts that declare none, "" for no idea.
    """

    parts: Sequence[Part]
    bytes_left: int
    hint: str
    defects: dict[str, None]
    _tags_left: int = MAX_TAGS  # of all pages together
    _files_left: int = MAX_FILES
    _detections_left: int = MAX_DETECTIONS
    _inside: dict[int, list[Part]] = field(default_factory=dict)  # the files in the text of a part

    def read(self) -> Body:
        """Return the body; what is wrong with it is added to `defects`."""
        layout = lay_out(self.parts)
        texts = {index: self._text_of(index) for index, _ in layout.texts}
        blank = frozenset(index for index, text in texts.items() if not text.strip())
        shown: list[str] = []
        for index in chosen_texts(self.parts, layout, blank):
            is_page = self.parts[index].content_type == HTML
            shown.append(self._page_as_text(texts[index]) if is_page else texts[index])
        pages = [text for index, text in texts.items() if self.parts[index].content_type == HTML]
        files = [(index, [self.parts[index]]) for index in layout.files]
        ordered = sorted((*files, *self._inside.items()), key=lambda entry: entry[0])
        return Body(_joined(shown), "\n".join(pages), tuple(part for _, found in ordered for part in found))

    def _text_of(self, index: int) -> str:
        part = self.parts[index]
        is_page = part.content_type == HTML
        data = part.data if is_page else self._without_files(index, part)
        if len(data) > self.bytes_left:
            data = data[: self.bytes_left]
            self.defects[TEXT_CUT] = None
        self.bytes_left -= len(data)
        decoded = read_text(data, part.parameters.get("charset", ""), hint=self.hint, html=is_page)
        if decoded.warnings == (UNDECODABLE,) and self._detections_left > 0:
            self._detections_left -= 1
            decoded = read_as(data, sure_codec(sample_of([data]))) or decoded
        self.defects.update(dict.fromkeys(decoded.warnings))
        if part.parameters.get("format", "").lower() == "flowed" and not is_page:
            return unflow(decoded.text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
        return plain(decoded.text)

    def _page_as_text(self, page: str) -> str:
        text = html_to_text(page, self._tags_left)
        self._tags_left = max(self._tags_left - page.count("<"), 0)
        return text

    def _without_files(self, index: int, part: Part) -> bytes:
        """Return the text's octets without the files in it, which are kept for `read`."""
        if b"begin" not in part.data:
            return part.data
        found = find_files(part.data, self._files_left)
        if not found:
            return part.data
        self._files_left -= len(found)
        self._inside[index] = [self._file(each, part) for each in found]
        if not all(each.sound for each in found):
            self.defects[BROKEN["uuencode"]] = None
        ends = (0, *(each.end for each in found))
        starts = (*(each.start for each in found), len(part.data))
        return b"".join(part.data[end:start] for end, start in zip(ends, starts, strict=True))

    def _file(self, found: UuFile, around: Part) -> Part:
        name = plain(read_text(found.name, around.parameters.get("charset", ""), hint=self.hint).text)
        unknown = "application/octet-stream"  # RFC 2046 section 4.5.1: uuencode tells no type
        return Part(
            content_type=unknown,
            name=name,
            file_name=file_name(name, unknown),
            data=found.data,
            depth=around.depth,
            parent=around.parent,
        )


def _joined(texts: list[str]) -> str:
    """Return the texts with an empty line between them; one alone stays as it is."""
    if len(texts) == 1:
        return texts[0]
    return "\n\n".join(stripped for text in texts if (stripped := text.strip("\n"))) + ("\n" if texts else "")
