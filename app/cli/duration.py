"""Durations on the command line: 90, 30s, 10m, 2h or 1d, as timeout(1) takes them, and how people read them."""

import re

import click

UNIT_S = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([smhd]?)")


class DurationType(click.ParamType[float]):
    """An option whose value becomes seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds, more than 0."""
        if isinstance(value, float):
            return value
        match = _DURATION.fullmatch(str(value).strip())
        seconds = float(match[1]) * UNIT_S[match[2]] if match else 0.0
        if seconds <= 0:
            self.fail(f"{value!r} is no duration; write 90, 30s, 10m, 2h or 1d", param, ctx)
        return seconds


def in_words(seconds: float) -> str:
    """Return a duration with its two largest units: 0.4s, 12s, 10m, 1h 5m, 3d 2h."""
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    left, parts = round(seconds), list[str]()
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, UNIT_S[unit])
        parts += [f"{count}{unit}"] if count else [""] if parts else []
    return " ".join(filter(None, parts[:2]))
