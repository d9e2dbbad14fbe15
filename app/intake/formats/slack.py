"""Slack-shaped messages: `text`, `attachments` and `blocks`, as incoming webhooks take them. They are one-shots.

https://docs.slack.dev/messaging/formatting-message-text and https://docs.slack.dev/reference/block-kit
"""

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.alert import Alert, Severity
from app.intake.colours import severity_of_colour
from app.intake.draft import draft
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.incoming import Reading
from app.intake.lenient import first_text, moment_of, objects_of, text_of
from app.intake.mrkdwn import Link, links_in, readable, without_emphasis
from app.intake.severities import known_severity

TOOL = "slack"
MARKS = ("text", "attachments", "blocks")
FIELDS = frozenset({
    *MARKS, "channel", "username", "icon_emoji", "icon_url", "emoji", "avatar", "alias", "mrkdwn", "link_names",
    "parse", "unfurl_links", "unfurl_media", "thread_ts", "reply_broadcast", "response_type", "replace_original",
    "delete_original", "markdown_text", "metadata", "priority", "props", "type",
})  # fmt: skip
SEVERITY_FIELDS = frozenset({"severity", "priority"})  # titles, in any case
GATUS = ("TRIGGERED:", "RESOLVED:")  # a text alone that begins so is of Gatus
MAX_DEPTH = 10  # of elements in elements: rich text has four
INNER = ("fields", "elements", "accessory")  # what a block may hold, in the order of Slack
MOST_LINKS = 100  # that are looked at; a mail shows fewer

Object = Mapping[str, Any]


class _Message:
    """Collects what a message says, in its order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.titles: list[str] = []
        self.links: list[Link] = []
        self.severities: list[Severity] = []

    def say(self, mrkdwn: str) -> str:
        """Add lines, and the links in them. Return the lines as a person reads them."""
        if not mrkdwn:
            return ""
        text = readable(mrkdwn).strip()
        for url, title in links_in(mrkdwn):
            self.link(url, title)
        if text:
            self.lines.append(text)
        return text

    def entitle(self, mrkdwn: str) -> None:
        """Add what may serve as a subject as well."""
        if title := self.say(mrkdwn):
            self.titles.append(title)

    def take_blocks(self, blocks: object, depth: int = 0) -> None:
        """Add the texts of blocks, and of the elements in them."""
        for block in objects_of(blocks) if depth < MAX_DEPTH else []:
            if block.get("type") == "rich_text":
                self.say("".join(_rich_text(block.get("elements"))))
                continue
            text = _text(block)
            if block.get("type") == "header":
                self.entitle(text)
            else:
                self.say(text)
            self.link(first_text(block, "url"), text)
            self.link(first_text(block, "image_url"), first_text(block, "alt_text") or "Image")
            for inner in [block[name] for name in INNER if name in block]:
                self.take_blocks(inner if isinstance(inner, list) else [inner], depth + 1)

    def link(self, url: str, title: str) -> None:
        """Add a link, if there is one."""
        if url and len(self.links) < MOST_LINKS:
            self.links.append((url, title))

    def take_attachment(self, attachment: Object) -> None:
        """Add what an attachment says; its fallback only if that is all."""
        before = len(self.lines)
        if severity := _severity(attachment):
            self.severities.append(severity)
        self.say(text_of(attachment.get("pretext")))
        self.entitle(text_of(attachment.get("title")))
        self.say(text_of(attachment.get("text")))
        for field in objects_of(attachment.get("fields")):
            name, value = first_text(field, "title"), first_text(field, "value")
            self.say(f"{name}: {value}" if name else value)
        self.take_blocks(attachment.get("blocks"))
        if len(self.lines) == before:
            self.entitle(text_of(attachment.get("fallback")))
        self.say(text_of(attachment.get("footer")))
        self.link(first_text(attachment, "title_link"), readable(first_text(attachment, "title")))
        self.link(first_text(attachment, "image_url"), "Image")
        for action in objects_of(attachment.get("actions")):
            self.link(first_text(action, "url"), _text(action))


def _severity(attachment: Object) -> Severity | None:
    """Return what a field says outright, else what the colour means; None if neither tells."""
    for field in objects_of(attachment.get("fields")):
        title, value = first_text(field, "title"), first_text(field, "value")
        if title.strip(" :").lower() in SEVERITY_FIELDS and (told := known_severity(without_emphasis(readable(value)))):
            return told
    return severity_of_colour(first_text(attachment, "color"))


def _text(block: Object) -> str:
    """Return the text of a block or element: plain, or an object that holds it."""
    text = block.get("text")
    return first_text(text, "text") if isinstance(text, dict) else text_of(text)


def _rich_text(elements: object, depth: int = 0) -> Iterator[str]:
    for element in objects_of(elements) if depth < MAX_DEPTH else []:
        name, url = first_text(element, "name", "user_id", "channel_id", "range"), first_text(element, "url")
        text = _text(element)
        yield f"<{url}|{text or url}>" if url else text or name
        yield from _rich_text(element.get("elements"), depth + 1)
        if str(element.get("type")).startswith("rich_text_"):
            yield "\n"


def _alert(fields: Object) -> Alert:
    message = _Message()
    opening = message.say(first_text(fields, "text", "markdown_text"))
    message.take_blocks(fields.get("blocks"))
    attachments = objects_of(fields.get("attachments"))
    for attachment in attachments:
        message.take_attachment(attachment)
    candidates = [opening, *message.titles, *message.lines]
    # A line of text beside blocks is for notifications: the subject is enough of it.
    says_all = bool(fields.get("blocks")) and len(message.lines) > 1 and opening and "\n" not in opening
    lines = message.lines[1:] if says_all else message.lines
    names = ("channel", "username")
    return draft(
        subject=without_emphasis(next((text for text in candidates if text), "").partition("\n")[0]),
        content="\n".join(lines),
        severity=max(message.severities, key=lambda severity: severity.rank, default=Severity.WARNING),
        source=TOOL,
        starts_at=moment_of(attachments[0].get("ts")) if attachments else None,
        links=message.links,
        extra={name: first_text(fields, name) for name in names if first_text(fields, name)},
    )


def _recognises(payload: Payload) -> bool:
    fields = payload.object
    if not fields or not fields.keys() <= FIELDS:
        return False
    text = fields.get("text")
    if len(fields) == 1 and isinstance(text, str):
        return not text.lstrip().startswith(GATUS)
    return isinstance(text, str) or any(isinstance(fields.get(name), list) for name in MARKS)


def _read(payload: Payload) -> Reading:
    alert = _alert(payload.object)
    if not alert.content:
        raise NotUnderstood("neither `text` nor `attachments` nor `blocks` say anything")
    return Reading((alert,))


FORMAT = Format(name=TOOL, tool="Slack-shaped messages", recognises=_recognises, read=_read)
