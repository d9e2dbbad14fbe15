"""Colours mean what traffic lights mean."""

import pytest

from app.domain.alert import Severity
from app.intake.colours import severity_of_colour


@pytest.mark.parametrize(
    ("colour", "severity"),
    [
        ("danger", Severity.ERROR),
        ("Warning", Severity.WARNING),
        ("good", Severity.INFO),
        ("#D63232", Severity.ERROR),
        ("#a30200", Severity.ERROR),
        ("ff0044", Severity.ERROR),
        ("#DAA038", Severity.WARNING),
        ("#ffcc00", Severity.WARNING),
        ("#36a64f", Severity.INFO),
        ("#439FE0", Severity.INFO),
        ("#cccccc", None),
        ("wibble", None),
        ("", None),
    ],
)
def test_colour_tells_the_severity(colour: str, severity: Severity | None) -> None:
    """By name or by hue; a grey and an unknown word tell nothing."""
    assert severity_of_colour(colour) is severity
