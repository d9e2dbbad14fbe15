"""Lines of text put together from pieces: spaces and breaks are asked for, and written when something follows."""

MAX_SHOWN_DEPTH = 8  # of quotes and of lists; more would be nothing but margin
# Writers of newsletters fill lines with these to steer what an inbox shows of the mail: spaces, joiners, marks.
_UNSEEN = " \t\u00a0\u00ad\u034f\u200b\u200c\u200d\u2007\u2060\ufeff"


class TextLayout:
    """Collects the text. `quotes` and `indent` hold for the lines that begin from now on."""

    def __init__(self) -> None:
        self.quotes = 0
        self.indent = 0
        # Lines stay in pieces to the end: one that is taken up again and again would be joined as often.
        self._lines: list[list[str]] = []
        self._line: list[str] = []
        self._space = False
        self._blank_wanted = False
        self._marker = ""
        self._row_line: int | None = None  # how many lines there were when the row's first cell began
        self._cell_is_empty = False
        self._cell_wanted = False

    def add(self, text: str) -> None:
        """Add text in which white space is collapsed."""
        if not text:
            return
        words = text.strip(" ")
        self._space = self._space or text[0] == " "
        if words:
            self._write(words)
            self._space = text[-1] == " "

    def add_attached(self, text: str) -> None:
        """Add text with a space between it and the one before it."""
        self._space = True
        self.add(text)

    def add_lines(self, text: str) -> None:
        """Add text whose white space and line ends are to stay."""
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n")):
            if number:
                self.new_line()
            if line:
                self._write(line)

    def new_line(self) -> None:
        """End the line, be it empty. Of several empty ones one is kept."""
        if self._line or not self._lines or self._lines[-1]:
            self._lines.append(self._line)
        self._line = []
        self._space = self._cell_wanted = False

    def end_line(self) -> None:
        """End the line if something stands on it. In a cell that holds nothing yet there is nothing to end."""
        if self._line and not self._cell_is_empty:
            self.new_line()

    def end_paragraph(self) -> None:
        """End the line, and leave an empty one before what follows. Behind the marker of an item none is left."""
        self.end_line()
        if not self._cell_is_empty and not self._marker:
            self._blank_wanted = True

    def begin_item(self, marker: str, *, is_first: bool) -> None:
        """Begin the next line with `marker`, if anything comes to stand on it; items stand close together."""
        self.end_line()
        self._marker = marker
        if not is_first:
            self._blank_wanted = False

    def new_row(self) -> None:
        """Begin or end a row of a table. Rows of one line each stand close together."""
        self._cell_is_empty = False
        self.end_line()
        if self._row_line is not None and len(self._lines) == self._row_line + 1:
            self._blank_wanted = False
        self._row_line = None

    def new_cell(self) -> None:
        """Begin a cell. Cells that hold one line each stand beside each other."""
        if self._row_line is None:
            self.end_line()
            self._row_line = len(self._lines) + self._blank_comes()
        else:
            self._cell_wanted = self._rejoin()
        self._cell_is_empty = True

    def finish(self) -> str:
        """Return all of it, no line with white space at its end, and never two empty lines in a row."""
        self.new_line()
        shown: list[str] = []
        for line in map("".join, self._lines):
            if line.strip(_UNSEEN):
                shown.append(line.replace("\u00a0", " ").rstrip())
            elif shown and shown[-1]:
                shown.append("")
        while shown and not shown[-1]:
            shown.pop()
        return "\n".join((*shown, "")) if shown else ""

    def _rejoin(self) -> bool:
        """Take up the line of the cells before again, if it is all of the row so far; return whether it is."""
        if not self._line and self._row_line == len(self._lines) - 1:
            self._line = self._lines.pop()
            self._blank_wanted = False
        return bool(self._line) and self._row_line == len(self._lines)

    def _write(self, text: str) -> None:
        if not self._line:
            self._begin_line()
        elif self._cell_wanted:
            self._line.append(" | ")
        elif self._space:
            self._line.append(" ")
        self._cell_wanted = self._cell_is_empty = self._space = False
        self._line.append(text)

    def _begin_line(self) -> None:
        if self._blank_comes():
            self._lines.append([])
        self._blank_wanted = False
        prefix = "> " * min(self.quotes, MAX_SHOWN_DEPTH) + "  " * min(self.indent, MAX_SHOWN_DEPTH)
        if prefix or self._marker:
            self._line.append(prefix + self._marker)
        self._marker = ""

    def _blank_comes(self) -> bool:
        return self._blank_wanted and bool(self._lines)
