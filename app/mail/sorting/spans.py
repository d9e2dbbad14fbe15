"""For how long, as people write it: a number and a unit in English, German, French, Spanish, Chinese or Japanese."""

import re
from datetime import timedelta

from app.domain.acknowledgement import LONGEST_ACK
from app.mail.sorting.alternatives import any_of

# In small letters, after NFKC. "m" are minutes, as in the settings.
# fmt: off
_UNITS: dict[timedelta, tuple[str, ...]] = {
    timedelta(seconds=1): ("s", "sec", "secs", "second", "seconds", "sek", "sekunden", "secondes", "segundos", "秒"),
    timedelta(minutes=1): (
        "m", "min", "mins", "minute", "minutes", "minuten", "minuto", "minutos", "分", "分钟", "分鐘", "分間",
    ),
    timedelta(hours=1): (
        "h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "heure", "heures", "hora", "horas",
        "小时", "小時", "个小时", "個小時", "钟头", "个钟头", "鐘頭", "時間",
    ),
    timedelta(days=1): (
        "d", "day", "days", "tag", "tage", "tagen", "j", "jour", "jours", "día", "días", "dia", "dias",
        "天", "日", "日間",
    ),
    timedelta(weeks=1): (
        "w", "week", "weeks", "woche", "wochen", "semaine", "semaines", "semana", "semanas",
        "周", "週", "星期", "个星期", "個星期", "週間",
    ),
}
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "ein": 1, "eine": 1, "einen": 1, "un": 1, "une": 1, "una": 1,
    "one half": 0.5, "half a": 0.5, "half an": 0.5, "eine halbe": 0.5, "une demi": 0.5, "media": 0.5,
    "two": 2, "zwei": 2, "deux": 2, "dos": 2, "three": 3, "drei": 3, "trois": 3, "tres": 3,
    "半": 0.5,
    "一": 1, "二": 2, "两": 2, "兩": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
}
# fmt: on
_LENGTHS = {name: length for length, names in _UNITS.items() for name in names}
# Behind a unit no letter may follow, or "2 months" would be two minutes; "2h30" has minutes without a unit.
_PIECE = re.compile(
    rf"(?:[.,]?\s)?(?:(?P<digits>\d{{1,6}}(?:[.,]\d{{1,3}})?)|(?P<word>{any_of(_NUMBERS)}))"
    rf"[\s-]?(?P<unit>{any_of(_LENGTHS)})(?![a-zß-ÿ])(?:(?<=h)(?P<minutes>[0-5]\d)(?![\w.]))?"
)
MAX_PIECES = 4  # "1 week 2 days 3 h 30 min"


def read_span(text: str) -> tuple[timedelta, str] | None:
    """Return how long the text says at its beginning, LONGEST_ACK at most, and what follows; None if it says nothing.

    `text` is in small letters, after NFKC. A number without a unit says nothing: minutes or hours? Nor does zero.
    """
    total, end = timedelta(), 0
    for _ in range(MAX_PIECES):
        piece = _PIECE.match(text, end)
        if piece is None:
            break
        total += _length(piece)
        end = piece.end()
    return (min(total, LONGEST_ACK), text[end:]) if total else None


def _length(piece: re.Match[str]) -> timedelta:
    number = float(piece["digits"].replace(",", ".")) if piece["digits"] else _NUMBERS[piece["word"]]
    return number * _LENGTHS[piece["unit"]] + timedelta(minutes=int(piece["minutes"] or 0))
