"""What no format knows: mailed with what could be found as its subject, and the body as it came below."""

from app.domain.alert import Alert
from app.intake.draft import draft
from app.intake.format import Format, Payload
from app.intake.incoming import Reading


def read(payload: Payload) -> Reading:
    """Return the alert of any body at all. Never raises."""
    alert: Alert = draft(subject="", content=payload.text or payload.body.decode(errors="backslashreplace"))
    return Reading((alert,), payload.warnings, understood=False)


FORMAT = Format(name="raw", tool="", recognises=lambda _: False, read=read)
