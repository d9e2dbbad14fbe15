"""Names for parts that are files: the sender's, or one that tells what the part is."""

import re

from app.domain.attachment import UNNAMED
from app.mail.reading.parameters import Parametrised

# Those that a reader must be able to tell: RFC 8551 section 3.2.1, RFC 3156, RFC 3464, RFC 3462, RFC 5545.
_BY_TYPE = {
    "application/ms-tnef": "winmail.dat",
    "application/vnd.ms-tnef": "winmail.dat",
    "application/pkcs7-mime": "smime.p7m",
    "application/x-pkcs7-mime": "smime.p7m",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "application/pgp-signature": "signature.asc",
    "application/pgp-encrypted": "pgp-version.asc",
    "application/pgp-keys": "key.asc",
    "application/pdf": "attachment.pdf",
    "application/zip": "attachment.zip",
    "application/json": "attachment.json",
    "application/xml": "attachment.xml",
    "application/x-unread-parts": "unread-parts.txt",
    "message/rfc822": "message.eml",
    "message/global": "message.eml",
    "message/news": "message.eml",
    "message/delivery-status": "delivery-status.txt",
    "message/global-delivery-status": "delivery-status.txt",
    "message/disposition-notification": "disposition-notification.txt",
    "message/feedback-report": "feedback-report.txt",
    "text/rfc822-headers": "headers.txt",
    "message/global-headers": "headers.txt",
    "text/plain": "text.txt",
    "text/calendar": "invitation.ics",
    "text/vcard": "contact.vcf",
    "text/x-vcard": "contact.vcf",
}
_CIPHERTEXT = ("multipart/encrypted", "application/octet-stream")  # RFC 3156 section 4: the multipart, and the part
# image/png is a .png; most types of these families are named by their suffix.
_SUFFIX = re.compile(r"(image|audio|video|text)/([a-z0-9]{1,8})")


def given_name(disposition: Parametrised, content_type: Parametrised) -> str:
    """Return the name that the sender gave, "" for none (RFC 2183 section 2.3; older programs: RFC 1341)."""
    return disposition.parameters.get("filename", "") or content_type.parameters.get("name", "")


def file_name(name: str, media_type: str, *, within: str = "") -> str:
    """Return the name for a file of that type: `name` if there is one. A path in it stays.

    `within` is the type of the multipart around it, "" for none.
    """
    if name:
        return name
    if (within, media_type) == _CIPHERTEXT:
        return "encrypted.asc"
    if media_type in _BY_TYPE:
        return _BY_TYPE[media_type]
    family = _SUFFIX.fullmatch(media_type)
    return f"{family[1]}.{family[2]}" if family else UNNAMED
