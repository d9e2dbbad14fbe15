"""A mail taken apart into its parts (RFC 2046 section 5.1): in one pass over its octets, however they nest."""

from dataclasses import dataclass, field

from app.mail.reading.head import HeaderRoom, read_head
from app.mail.reading.headers import Headers
from app.mail.reading.limits import ReadingLimits
from app.mail.reading.parameters import Parametrised, read_parameters

NO_BOUNDARY = "a multipart names no boundary, so it was read as text"
NO_PARTS = "the boundary of a multipart stands nowhere, so it was read as text"
NO_END = "a multipart does not end with its boundary"
TOO_DEEP = "parts that are nested too deep were left together as one"
TOO_MANY = "there are more parts than are read; the rest was left together as one"
CUT_OFF = "application/x-unread-parts"  # of no standard: names what lies beyond the limit

PLAIN = Parametrised("text/plain", {"charset": "us-ascii"})  # RFC 2045 section 5.2: what a part is that does not say
_DIGEST_PART = Parametrised("message/rfc822", {})  # RFC 2046 section 5.1.5


@dataclass(slots=True)
class Node:
    """A part where it was found: its own octets are `data[start:end]`, of a multipart those before the first part.

    `parent` is the index of the multipart around it, None for the mail itself; `children` says how many it has.
    """

    headers: Headers
    content_type: Parametrised
    depth: int
    parent: int | None
    start: int
    end: int
    children: int = 0


@dataclass(slots=True)
class _Open:
    """A multipart whose end is still to come."""

    node: int
    boundary: bytes


@dataclass(slots=True)
class Splitter:
    """Takes one mail apart. `nodes` are in the order of the mail; what is wrong with it is added to `defects`."""

    data: bytes
    limits: ReadingLimits
    defects: dict[str, None]
    nodes: list[Node] = field(default_factory=list)
    _stack: list[_Open] = field(default_factory=list)
    _levels: dict[bytes, list[int]] = field(default_factory=dict)  # of each boundary, the innermost last
    _room: HeaderRoom = field(init=False)

    def __post_init__(self) -> None:
        limits = self.limits
        self._room = HeaderRoom(limits.max_header_fields, limits.max_header_bytes, limits.max_field_bytes)

    def split(self) -> None:
        """Fill `nodes` and `defects`. Each octet is looked at a fixed number of times."""
        current: Node | None = self._begin(0, None)
        position = self.nodes[0].start
        while self._stack:
            # A delimiter is the line end before it too, which may be that of the header.
            at = self.data.find(b"\n--", max(position - 1, 0))
            if at < 0:
                break
            line_end = self.data.find(b"\n", at + 1) + 1 or len(self.data)
            position = line_end
            level, ends = self._level(self.data[at + 1 : line_end])
            if level is None:
                continue
            if current is not None:
                current.end = max(current.start, at - (self.data[at - 1 : at] == b"\r"))
            self._close_down_to(level + 1)
            current = None
            if ends:
                self._pop()
            elif len(self.nodes) >= self.limits.max_parts:
                self._keep_rest(at + 1, self._stack[level].node)
                return
            else:
                current = self._begin(line_end, self._stack[level].node)
                position = current.start
        self._close_down_to(0)

    def _begin(self, start: int, parent: int | None) -> Node:
        """Read the header at `start` and add its part; if it is a multipart, its own parts come next."""
        head = read_head(self.data, start, room=self._room, is_boundary=self._is_boundary)
        self.defects.update(dict.fromkeys(head.defects))
        default = PLAIN
        if parent is not None and self.nodes[parent].content_type.value == "multipart/digest":
            default = _DIGEST_PART
        headers = Headers(head.fields)
        content_type = read_content_type(headers, default)
        node = Node(
            headers=headers,
            content_type=content_type,
            depth=0 if parent is None else self.nodes[parent].depth + 1,
            parent=parent,
            start=head.body_start,
            end=len(self.data),
        )
        if parent is not None:
            self.nodes[parent].children += 1
        self.nodes.append(node)
        if content_type.value.startswith("multipart/"):
            self._open(node)
        return node

    def _open(self, node: Node) -> None:
        boundary = node.content_type.parameters.get("boundary", "").rstrip().encode(errors="replace")
        if not boundary:
            self.defects[NO_BOUNDARY] = None
        elif node.depth >= self.limits.max_depth:
            self.defects[TOO_DEEP] = None
        else:
            self._levels.setdefault(boundary, []).append(len(self._stack))
            self._stack.append(_Open(len(self.nodes) - 1, boundary))

    def _is_boundary(self, line: bytes) -> bool:
        return self._level(line)[0] is not None

    def _level(self, line: bytes) -> tuple[int | None, bool]:
        """Return whose boundary the line is, by its place in the stack, and whether it is the last one.

        RFC 2046 section 5.1.1: white space may follow. Anything else may not, or a boundary that begins with
        another one, as many programs make them, would be taken for it.
        """
        token = line[2:].rstrip(b" \t\r\n")
        if levels := self._levels.get(token):
            return levels[-1], False
        if token.endswith(b"--") and (levels := self._levels.get(token[:-2])):
            return levels[-1], True
        return None, False

    def _close_down_to(self, level: int) -> None:
        while len(self._stack) > level:
            if self.nodes[self._stack[-1].node].children:
                self.defects[NO_END] = None
            self._pop()

    def _pop(self) -> None:
        ended = self._stack.pop()
        levels = self._levels[ended.boundary]
        levels.pop()
        if not levels:
            del self._levels[ended.boundary]
        if not self.nodes[ended.node].children:
            self.defects[NO_PARTS] = None

    def _keep_rest(self, start: int, parent: int) -> None:
        self.defects[TOO_MANY] = None
        depth = self.nodes[parent].depth + 1
        self.nodes.append(Node(Headers(), Parametrised(CUT_OFF, {}), depth, parent, start, len(self.data)))


def read_content_type(headers: Headers, default: Parametrised) -> Parametrised:
    """Return the Content-Type; the default where there is none, or none that can be understood."""
    declared = read_parameters(headers.raw("Content-Type"))
    media_type = declared.value.partition("(")[0].strip()  # RFC 2045 section 5.1: a comment may follow
    main, slash, sub = media_type.partition("/")
    if main and slash and sub and not any(character.isspace() for character in media_type):
        return Parametrised(media_type, declared.parameters)
    # RFC 2045 section 5.2 says text for what is not valid; "text" alone is of programs older than MIME.
    return Parametrised(default.value, declared.parameters or default.parameters)
