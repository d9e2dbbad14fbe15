"""The probe: a small mail to the system's own mailbox. That it arrives is all that it says."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.address import Mailbox
from app.mail.compose import Signer
from app.mail.headers import address_list, automatic, date, unstructured
from app.mail.message_id import PROBE_ID, safe_domain
from app.mail.serialise import serialise_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePaper:
    """What all probes share: from whom, and to which mailbox."""

    server_name: str
    sender: Mailbox
    mailbox: Mailbox
    signer: Signer | None = None


def probe_mail(paper: ProbePaper, *, token: str, relay: str, at: datetime) -> bytes:
    """Return the probe over `relay` as RFC 5322 octets with CRLF; `token` is MessageIds.probe_token's.

    The token stands in a header of its own too: some relays put a Message-ID of theirs in the place of ours.
    """
    headers = (
        f"Date: {date(at)}\r\n"
        f"Message-ID: <probe.{token}@{safe_domain(paper.sender.domain)}>\r\n"
        f"{address_list('From', [paper.sender])}"
        f"{address_list('To', [paper.mailbox])}"
        f"{automatic()}"
        f"{unstructured('Subject', f'[{paper.server_name}] Probe over {relay}')}"
        f"{PROBE_ID}: {token}\r\n"
    )
    text = f"This mail shows that mail over the relay {relay} arrives. It may be deleted, and needs no answer.\n"
    octets = serialise_text(headers=headers, text=text)
    return octets if paper.signer is None else paper.signer.sign(octets, at=at)
