"""`mailalert` in a hurry: every wait of minutes is one of a fraction of a second, and nothing else is changed.

usage: python -m tests.support.hasty_daemon serve …   (see tests/support/fault_run.py)

The waits are no settings, because nobody has to set them. A test of what happens after them cannot wait.
"""

from dataclasses import fields
from datetime import timedelta

from app.cli.main import main
from app.delivery import opening
from app.domain import backoff, verdict

HASTE = opening.Timeouts(connect_s=1, command_s=1.5, block_s=3, final_dot_s=3, mail_s=5, quit_s=0.2)
WAITS = {
    "_RETRY_SECONDS": (0.3, 0.6, 1.2),
    "_RELAY_SECONDS": (0.2, 0.4, 1.0),
    "_CONFIGURATION_MINUTES": (0.01, 0.02, 0.03),
    "AMBIGUOUS_DELAY": timedelta(seconds=0.5),
}


def hurry() -> None:
    """Shorten every wait, where all of the program finds it."""
    for field in fields(opening.DEFAULT_TIMEOUTS):
        object.__setattr__(opening.DEFAULT_TIMEOUTS, field.name, getattr(HASTE, field.name))
    for module in (backoff, verdict):
        for name, value in WAITS.items():
            if hasattr(module, name):
                setattr(module, name, value)
    assert all(hasattr(backoff, name) for name in WAITS), "a wait has another name now"


if __name__ == "__main__":
    hurry()
    main()
