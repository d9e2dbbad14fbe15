"""The tokens: who has which, told from a token or from the signature of a body, in constant time."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from app.domain.access import Principal
from app.domain.rate import Rate
from app.httpkit.credentials import Fields
from app.httpkit.signatures import signature_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What one sender has. Of the token itself there is only the digest, the `fingerprint` of the principal.

    `rate` is that of its requests that send; None for any number. Without an `hmac_secret` it signs nothing.
    """

    principal: Principal
    rate: Rate | None = None
    hmac_secret: bytes = field(default=b"", repr=False)


class TokenTable:
    """All tokens. A search looks at every one: how long it takes tells nobody which is near."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._tokens = tuple(tokens)
        self._by_digest = tuple((token.principal.fingerprint, token.principal) for token in self._tokens)
        self._signers = tuple(token for token in self._tokens if token.hmac_secret)
        self.rates = {token.principal.fingerprint: token.rate for token in self._tokens if token.rate}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._tokens)

    @property
    def has_signers(self) -> bool:
        """Whether a signature can prove anybody."""
        return bool(self._signers)

    def by_credential(self, token: bytes) -> Principal | None:
        """Return whose token this is."""
        # Digests of one length: the time of the comparison tells neither the token nor how long it is.
        offered = sha256(token).digest()
        found = None
        for digest, principal in self._by_digest:
            if hmac.compare_digest(digest, offered):
                found = principal
        return found

    def by_signature(self, fields: Fields, body: bytes, at: datetime) -> Principal | None:
        """Return who signed this body, which came `at` this time: Sentry and Grafana do."""
        signature = signature_in(fields, at)
        if signature is None:
            return None
        found = None
        for token in self._signers:
            if signature.is_of(body, secret=token.hmac_secret):
                found = token.principal
        return found
