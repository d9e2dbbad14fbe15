"""From a spool file to alerts. Nothing is lost: what cannot be read as it was meant is mailed as it is. Pure."""

import json
from dataclasses import dataclass, replace
from datetime import datetime

from app.domain.access import Principal
from app.domain.receipt import Claim, claim_of
from app.domain.spooled import BrokenSpoolFile, SpooledAlert, decode_spooled
from app.intake.addressing import addressed
from app.intake.draft import draft
from app.intake.formats import native
from app.intake.incoming import IncomingBody, Reading, Rejected
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits, check_structure
from app.intake.spool_folder import SpoolFile

JSON = {b"content-type": b"application/json"}
BROKEN = "The spool file was damaged; it is mailed as it was."
NOT_TAKEN = "The spooled alert could not be taken as it was meant ({}); it is mailed as it was."
WITHOUT_FILES = "The attachments were left out: they are too large."


@dataclass(frozen=True, slots=True)
class SpoolReading:
    """The alerts of one file, and under which claims they are handed in."""

    reading: Reading
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolReader:
    """`principal` is whoever puts files into the spool; `host` is what this machine is called."""

    principal: Principal
    limits: SizeLimits
    host: str

    def read(self, file: SpoolFile, *, at: datetime) -> SpoolReading:
        """Return what the file holds. Never raises."""
        try:
            spooled = decode_spooled(file.data)
        except BrokenSpoolFile:
            reading = _as_it_is(file.data, BROKEN)
            return SpoolReading(self._marked(reading, file.owner), (claim_on(file),))
        reading = addressed(self._alerts(spooled, at), self.principal, spooled.receivers)
        return SpoolReading(self._marked(reading, file.owner, spooled.made_at), spooled.claims())

    def _alerts(self, spooled: SpooledAlert, at: datetime) -> Reading:
        try:
            return self._native(spooled.body, at)
        except Rejected as rejected:
            if (lighter := _without_attachments(spooled.body, self.limits)) is not None:
                try:
                    return _noted(self._native(lighter, at), WITHOUT_FILES)
                except Rejected:
                    pass  # its other fields are wrong as well
            return _as_it_is(spooled.body, NOT_TAKEN.format(str(rejected).rstrip(".")))

    def _native(self, body: bytes, at: datetime) -> Reading:
        return read_alerts(IncomingBody(body, JSON, at=at), self.limits, named=native.FORMAT)

    def _marked(self, reading: Reading, owner: str, made_at: datetime | None = None) -> Reading:
        """Say who put it there, which the kernel knows, whatever source the alert itself names; and when."""
        user = f"{owner}@{self.host}"
        told = {"spooled_by": user} | ({"spooled_at": made_at.isoformat()} if made_at else {})
        alerts = tuple(
            replace(alert, source=alert.source or user, extra={**alert.extra, **told}) for alert in reading.alerts
        )
        return replace(reading, alerts=alerts)


def claim_on(file: SpoolFile) -> Claim:
    """Return the claim of a file that names no key: its own bytes, for a restart must not mail it twice."""
    return claim_of(f"spool file {file.name}", file.data, fingerprint=b"")


def _as_it_is(body: bytes, note: str) -> Reading:
    alert = draft(subject="", content=body.decode(errors="backslashreplace"), notes=[note])
    return Reading((alert,), understood=False)


def _noted(reading: Reading, note: str) -> Reading:
    return replace(reading, alerts=tuple(replace(alert, notes=(*alert.notes, note)) for alert in reading.alerts))


def _without_attachments(body: bytes, limits: SizeLimits) -> bytes | None:
    try:
        check_structure(body, limits)  # parsed it would take twenty times the memory
        document = json.loads(body)
    except (Rejected, ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not document.pop("attachments", None):
        return None
    return json.dumps(document).encode()
