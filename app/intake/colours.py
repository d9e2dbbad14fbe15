"""The colours that tools give to messages, and how bad each means."""

import re
from colorsys import rgb_to_hsv

from app.domain.alert import Severity

_NAMES = {
    "danger": Severity.ERROR,
    "attention": Severity.ERROR,
    "red": Severity.ERROR,
    "warning": Severity.WARNING,
    "orange": Severity.WARNING,
    "yellow": Severity.WARNING,
    "good": Severity.INFO,
    "green": Severity.INFO,
}
_HEX = re.compile(r"#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", re.IGNORECASE)
LEAST_SATURATION = 0.25  # below, it is a grey that means nothing
# Hues in degrees: up to this one it is red, orange or yellow; from the last one on it is red again.
RED, YELLOW, RED_AGAIN = 20, 70, 340


def severity_of_colour(colour: str) -> Severity | None:
    """Return it for a name or for `#rrggbb`: red is an error, yellow a warning, green and blue are none of both.

    None for a grey, and for what is no colour.
    """
    colour = colour.strip().lower()
    digits = _HEX.fullmatch(colour)
    if digits is None:
        return _NAMES.get(colour)
    hue, saturation, _ = rgb_to_hsv(*(int(part, 16) / 255 for part in digits.groups()))
    if saturation < LEAST_SATURATION:
        return None
    degrees = hue * 360
    if degrees <= RED or degrees >= RED_AGAIN:
        return Severity.ERROR
    return Severity.WARNING if degrees <= YELLOW else Severity.INFO
