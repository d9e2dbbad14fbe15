"""Slack's markup, as people read it: https://docs.slack.dev/messaging/formatting-message-text"""

import re

Link = tuple[str, str]

# A tag holds no other, so that any text costs linear time.
_TAG = re.compile(r"<([^<>|\n]+)(?:\|([^<>\n]*))?>")
_KINDS = {"@": "@", "#": "#", "!": "@"}  # people, channels, and groups such as <!here>
# Bold, italic, struck out, code: around words, not within one such as `disk_free_bytes`.
_EMPHASIS = re.compile(r"(?<!\w)([*_~`])([^\s*_~`](?:[^*_~`\n]*[^\s*_~`])?)\1(?!\w)")
_ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))  # the only three; & comes last, so that nothing unfolds twice


def readable(mrkdwn: str) -> str:
    """Return the text with the titles of its links, and with people and channels by their names."""
    return _unescaped(_TAG.sub(_shown, mrkdwn))


def without_emphasis(text: str) -> str:
    """Return the text without the marks around words, for where they cannot be shown."""
    return _EMPHASIS.sub(r"\2", text)


def links_in(mrkdwn: str) -> list[Link]:
    """Return the URLs of the text with their titles; one without a title has ""."""
    return [
        (_unescaped(target), _unescaped(title)) for target, title in _TAG.findall(mrkdwn) if target[0] not in _KINDS
    ]


def _shown(tag: re.Match[str]) -> str:
    target, title = tag[1], tag[2] or ""
    mark = _KINDS.get(target[0])
    if mark is None:
        return title or target
    if target.startswith("!date^"):
        return title
    return mark + (title or target[1:].partition("^")[0]).lstrip(mark)


def _unescaped(text: str) -> str:
    for escape, character in _ESCAPES:
        text = text.replace(escape, character)
    return text
