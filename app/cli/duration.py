"""Durations on the command line: 90, 30s, 10m, 2h or 1d, as timeout(1) takes them."""

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
