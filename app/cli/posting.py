"""Posts an alert, smaller if the daemon finds it too large: what does not fit must not cost the rest."""

from typing import Any, Protocol

from app.cli.client import ClientError
from app.cli.native import lighter_of
from app.domain.spooled import SpooledAlert

TOO_LARGE = 413  # RFC 9110 section 15.5.14


class AlertPoster(Protocol):
    """The daemon, as far as alerts are posted to it."""

    def post_alert(self, alert: SpooledAlert) -> dict[str, Any]:
        """Return the answer. Raises ClientError."""


def post_fitting(daemon: AlertPoster, alert: SpooledAlert) -> dict[str, Any]:
    """Return the answer to the largest form of the alert that the daemon takes. Raises ClientError."""
    try:
        return daemon.post_alert(alert)
    except ClientError as error:
        if error.status != TOO_LARGE:
            raise
        last = error
    for lighter in lighter_of(alert):
        try:
            return daemon.post_alert(lighter)
        except ClientError as error:
            if error.status != TOO_LARGE:
                raise
            last = error
    raise last
