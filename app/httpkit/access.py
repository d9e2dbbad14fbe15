"""Access control: who sends a request, how often a token may be used, and how often a wrong one may be tried."""

import math
from datetime import timedelta

from app.domain.access import Principal
from app.domain.access import Scope as AccessScope
from app.domain.ports import Clock
from app.domain.rate import TokenBucket
from app.httpkit import problems
from app.httpkit.credentials import Fields, challenge, credentials_in
from app.httpkit.failures import Failures
from app.httpkit.limits import Scope
from app.httpkit.problems import Problem
from app.httpkit.refusals import RefusalLog, client_of
from app.httpkit.scopes import posts_alerts
from app.httpkit.signatures import is_signed
from app.httpkit.tokens import TokenTable

MAX_WRONG = 10  # tokens of an address in a minute: people mistype, and a token has 2^128 values and more

UNPROVEN = "Send the token as `Authorization: Bearer`, or as the password of Basic."
WRONG_SIGNATURE = "The signature is not that of any token, or it is more than five minutes old."
TOO_MANY_WRONGLY_SIGNED = "Too many wrong signatures came from this address. A token is taken all the same."
TOO_MANY_WRONG = "Too many wrong tokens came from this address. The right one is taken all the same."


class AccessControl:
    """Knows the tokens. Without any, everybody is `anybody`.

    An address with too many wrong tokens is told to wait, yet the right token opens at once: a job that shares
    the address with a broken one must not lose its alerts, and nobody guesses 128 random bits.
    """

    def __init__(self, tokens: TokenTable, *, anybody: Principal, clock: Clock) -> None:
        self._tokens = tokens
        self._anybody = anybody
        self._clock = clock
        now = clock.monotonic()
        self._buckets = {digest: TokenBucket(rate, now=now) for digest, rate in tokens.rates.items()}
        self._wrong = Failures()
        self._wrongly_signed = Failures()
        self.asks_for_token = len(tokens) > 0
        self.refusals = RefusalLog(clock)

    def by_token(self, fields: Fields, query: bytes) -> Principal | None:
        """Return who sends a request with these header fields and this query string, None if no token proves it."""
        if not self.asks_for_token:
            return self._anybody
        for token in credentials_in(fields, query):
            principal = self._tokens.by_credential(token)
            if principal is not None:
                return principal
        return None

    def awaits_signature(self, scope: Scope, fields: Fields) -> bool:
        """Tell whether a request without a right token is to be read all the same: its signature may prove it.

        Not that of an address with too many wrong signatures in the last minute. Wrong tokens do not count here: a
        tool that signs may share the address with a job whose token is old.
        """
        may_sign = self._tokens.has_signers and is_signed(fields) and posts_alerts(scope["method"], scope["path"])
        return may_sign and not self._signs_wrong(client_of(scope))

    def by_signature(self, scope: Scope, fields: Fields, body: bytes) -> Principal | Problem:
        """Return who signed the body, if it may send now, else what to answer; such a refusal is counted and logged."""
        principal = self._tokens.by_signature(fields, body, self._clock.now())
        if principal is None:
            self._wrongly_signed.count(client_of(scope), self._clock.monotonic())
            problem = self._wrong_problem(scope, WRONG_SIGNATURE, fields)
        elif not principal.may(AccessScope.SEND):
            problem = lacks_scope(AccessScope.SEND)
        else:
            limit = self.over_rate(principal)
            if limit is None:
                return principal
            problem = limit
        self.refusals.note(scope, problem.status)
        return problem

    def over_rate(self, principal: Principal) -> Problem | None:
        """Return what to answer where the token's rate is used up; else None, and one more request is counted."""
        bucket = self._buckets.get(principal.fingerprint)
        if bucket is None:
            return None
        now = self._clock.monotonic()
        wait = bucket.wait(now)
        if wait <= 0:
            bucket.take(now)
            return None
        return problems.too_many_requests(
            f"The rate of the token {principal.name} is used up.", retry_after=timedelta(seconds=math.ceil(wait))
        )

    def unproven(self, scope: Scope, fields: Fields) -> Problem:
        """Return what to answer without a right token: 401, or 429 if the address has tried too many wrong ones."""
        if credentials_in(fields, scope["query_string"]):
            return self._wrong_problem(scope, UNPROVEN, fields)
        client = client_of(scope)
        if is_signed(fields) and self._signs_wrong(client):
            wait = self._wrongly_signed.ends_in(client, self._clock.monotonic())
            return problems.too_many_requests(TOO_MANY_WRONGLY_SIGNED, retry_after=wait)
        return problems.unauthorized(UNPROVEN, challenge=challenge(fields.get(b"accept")))

    def is_barred(self, peer: str) -> bool:
        """Tell whether this address has tried too many wrong tokens in the last minute."""
        return self._wrong.number(peer, self._clock.monotonic()) > MAX_WRONG

    def principal_of(self, password: bytes, *, peer: str) -> Principal | None:
        """Return who logs in with a token as the password, if it may send; else count a wrong one for this address."""
        principal = self._tokens.by_credential(password)
        if principal is not None and principal.may(AccessScope.SEND):
            return principal
        self._wrong.count(peer, self._clock.monotonic())
        return None

    def _signs_wrong(self, client: str) -> bool:
        return self._wrongly_signed.number(client, self._clock.monotonic()) > MAX_WRONG

    def _wrong_problem(self, scope: Scope, detail: str, fields: Fields) -> Problem:
        client, now = client_of(scope), self._clock.monotonic()
        if self._wrong.count(client, now) > MAX_WRONG:
            return problems.too_many_requests(TOO_MANY_WRONG, retry_after=self._wrong.ends_in(client, now))
        return problems.unauthorized(detail, challenge=challenge(fields.get(b"accept")))


def lacks_scope(needed: AccessScope) -> Problem:
    """Return what to answer to a token that is known and may not do this."""
    return problems.forbidden(f"This token may not do that: its scopes do not hold `{needed}`.")
