"""Request bodies as the intake sees them."""

from app.intake.format import Payload
from app.intake.incoming import IncomingBody
from tests.support.clock import NOW


def incoming(body: bytes, content_type: str = "", query: bytes = b"", **fields: bytes | str) -> IncomingBody:
    """Return a body with its Content-Type and header fields, an underscore in a name for a hyphen."""
    given = {"content_type": content_type, **fields} if content_type else fields
    encoded = {
        name.replace("_", "-").encode(): value.encode("latin-1", "replace") if isinstance(value, str) else value
        for name, value in given.items()
    }
    return IncomingBody(body, encoded, query, NOW)


def document_payload(document: object, **more: object) -> Payload:
    """Return a payload as if `document` had come as JSON."""
    return Payload(document=document, media_type="application/json", at=NOW, **more)  # type: ignore[arg-type]  # any of its fields
