"""Message-IDs that nobody else can make: the envelope's id, and a MAC over it."""

import hmac
import re

from app.domain.envelope import Envelope
from app.domain.ids import format_id, parse_id

# The headers that bear the token of a mail, and of a probe: relays that put a Message-ID of theirs in the place of ours
# leave them alone.
OWN_ID = "X-MailAlert-Id"
PROBE_ID = "X-MailAlert-Probe"
MAC_BYTES = 10  # RFC 2104 section 5: not less than 80 bits
_ID_AND_MAC = r"(?P<id>[0-9A-Za-z]{13})\.(?P<mac>[0-9A-Fa-f]{20})"
_BARE_TOKEN = re.compile(_ID_AND_MAC)
_MESSAGE_ID = re.compile(rf"<?{_ID_AND_MAC}@[^<>@\s]+>?")
# RFC 5233 section 1: the detail behind the plus sign, here a token, and the position of a recipient behind it.
_SUB_ADDRESS = re.compile(rf"[^@\s]+\+{_ID_AND_MAC}(?:\.(?P<position>\d{{1,5}}))?@[^<>@\s]+")
_NOT_IN_DOMAIN = re.compile(r"[^A-Za-z0-9.:\[\]-]")


class MessageIds:
    """Makes Message-IDs and recognises its own, so that answers and bounces can be trusted."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod="sha256")

    def envelope_token(self, envelope: Envelope) -> str:
        """Return `id.mac`, which nobody can know before the mail is made: the Message-ID as far as the @.

        It is always the same for the same mail. An envelope that goes without its attachments is a new mail.
        """
        public_id = format_id(envelope.id)
        return f"{public_id}.{self._envelope_mac(public_id, without_attachments=envelope.without_attachments)}"

    def thread_root(self, identity: str, domain: str) -> str:
        """Return the Message-ID that all mails about one `identity` refer to; no mail itself bears it."""
        return f"<thread-{self._mac(f'thread:{identity}')}@{safe_domain(domain)}>"

    def verify(self, message_id: str) -> int | None:
        """Return the envelope's id if the Message-ID is one of ours, else None."""
        return self._verified(_MESSAGE_ID.fullmatch(message_id.strip()))

    def is_ours(self, message_id: str) -> bool:
        """Tell whether the Message-ID is one of ours: the mail is one that we sent."""
        return self.verify(message_id) is not None

    def verify_token(self, token: str) -> int | None:
        """Return the envelope's id if the text is a token of one of ours: an ENVID, or an OWN_ID."""
        return self._verified(_BARE_TOKEN.fullmatch(token.strip()))

    def verify_sub_address(self, address: str) -> tuple[int, int | None] | None:
        """Return the envelope's id, and the position of a recipient if there is one, of an address that we made."""
        match = _SUB_ADDRESS.fullmatch(address.strip())
        envelope_id = self._verified(match)
        if match is None or envelope_id is None:
            return None
        return envelope_id, None if match["position"] is None else int(match["position"])

    def sub_address(self, envelope: Envelope, mailbox: str, *, position: int | None = None) -> str:
        """Return the address of `mailbox` with the envelope's token in it, and the position of a recipient if given.

        Answers and bounces that come to it tell by this alone what they are about.
        """
        local, _, domain = mailbox.rpartition("@")
        return f"{local}+{self.envelope_token(envelope)}{'' if position is None else f'.{position}'}@{domain}"

    def probe_token(self, number: int) -> str:
        """Return `id.mac` of a probe, which no envelope's token equals."""
        public_id = format_id(number)
        return f"{public_id}.{self._mac(f'probe:{public_id}')}"

    def verify_probe(self, token: str) -> int | None:
        """Return the number of the probe if the token is one of ours."""
        match = _BARE_TOKEN.fullmatch(token.strip())
        number = parse_id(match["id"]) if match else None
        if match is None or number is None:
            return None
        right = self._mac(f"probe:{format_id(number)}")
        return number if hmac.compare_digest(right, match["mac"].lower()) else None

    def _verified(self, match: re.Match[str] | None) -> int | None:
        envelope_id = parse_id(match["id"]) if match else None
        if match is None or envelope_id is None:
            return None
        public_id, mac = format_id(envelope_id), match["mac"].lower()
        # Constant time: how long a wrong guess takes must not tell how much of it was right.
        whole, reduced = (
            hmac.compare_digest(self._envelope_mac(public_id, without_attachments=without), mac)
            for without in (False, True)
        )
        return envelope_id if whole or reduced else None

    def _envelope_mac(self, public_id: str, *, without_attachments: bool) -> str:
        return self._mac(f"{public_id} without attachments" if without_attachments else public_id)

    def _mac(self, text: str) -> str:
        keyed = self._keyed.copy()  # takes half the time of hashing the key again
        keyed.update(text.encode(errors="surrogatepass"))
        return keyed.digest()[:MAC_BYTES].hex()


def safe_domain(domain: str) -> str:
    """Return `domain` with nothing in it that could end a Message-ID or a header."""
    return _NOT_IN_DOMAIN.sub("-", domain) or "localhost"
