"""What a line of an answer says to do about the alert: "ack", "ack 2h", "ok, on it", "unack"; in several languages."""

import re

from app.domain.acknowledgement import AckAction
from app.mail.sorting.alternatives import any_of
from app.mail.sorting.command_words import ACKNOWLEDGE, FOR, TAKE_BACK
from app.mail.sorting.doubtful_words import ANYWHERE, OBJECTIONS, PROGRAMS
from app.mail.sorting.sorted_mail import AckCommand
from app.mail.sorting.spans import read_span

# Behind the letters of a word no letter may follow.
_COMMAND = re.compile(rf"(?:(?P<back>{any_of(TAKE_BACK)})|{any_of(ACKNOWLEDGE)})(?![a-zß-ÿ])")
_BEFORE_SPAN = re.compile(rf"\s?(?:[.,:;!(、。–—-]\s?)?(?:(?:{any_of(FOR)})\s)?")
# What ends a sentence or a part of one. Some signs stand within words too ("ok.example.org", "ok-ish"): a space must
# follow, but in Chinese and Japanese, which have none. A question is no command.
_SEPARATOR = re.compile(r"\s?(?:[.,:;!)]+(?=\s|$|[^\x00-\x7f])|[,;!](?=\w)|[-–—]+(?=\s|$)|[—。、])(?!\s?\?)")
_DOUBT = re.compile(rf"\?|(?<!\w)(?:{any_of(OBJECTIONS + PROGRAMS)})(?!\w)|{any_of(ANYWHERE)}")
_AROUND = "\"'“”„«»「」*_ "  # quotes, as our own mails have them around the word, and the stars of bold text


def read_command(line: str) -> AckCommand | None:
    """Return what the line says, None if it is no command; `line` is one that `own_lines` returns.

    It must begin with the word. What follows must be a duration, nothing, or clearly apart by punctuation: "Ack, on
    it" is one; "ok so what", "ok, but who is on call?" and "acknowledging this would be wrong" are none.
    Better a person asks why nothing happened than an alert falls silent by mistake.
    """
    text = line.casefold().replace("\u2019", "'").strip(_AROUND)  # as phones write the apostrophe
    found = _COMMAND.match(text)
    if found is None:
        return None
    rest = text[found.end() :]
    if found["back"]:
        return AckCommand(AckAction.TAKEN_BACK) if _ends(rest) else None
    lasts = None
    span = read_span(_BEFORE_SPAN.sub("", rest, count=1))
    if span is not None:
        lasts, rest = span
    is_sure = _ends(rest) and not _DOUBT.search(rest)
    return AckCommand(AckAction.ACKNOWLEDGED, lasts) if is_sure else None


def _ends(rest: str) -> bool:
    return not rest.strip() or _SEPARATOR.match(rest) is not None
