"""Access control: rates of tokens, wrong tokens of an address, signatures."""

from datetime import timedelta
from hashlib import sha256
from hmac import new as hmac

import pytest
from structlog.testing import capture_logs

from app.domain.access import Principal, Scope
from app.domain.rate import Rate
from app.httpkit.access import MAX_WRONG, AccessControl
from app.httpkit.credentials import Fields
from app.httpkit.limits import Scope as AsgiScope
from app.httpkit.problems import Problem
from app.httpkit.tokens import Token, TokenTable
from tests.support.asgi_calls import http_scope
from tests.support.clock import FakeClock

BODY = b'{"subject":"x"}'
RIGHT: Fields = {b"authorization": b"Bearer sender"}
WRONG: Fields = {b"authorization": b"Bearer wrong"}


def principal(name: str, *scopes: Scope) -> Principal:
    """Return the principal whose token is its name."""
    return Principal(name=name, scopes=frozenset(scopes), fingerprint=sha256(name.encode()).digest())


SENDER = principal("sender", Scope.SEND)
READER = principal("reader", Scope.READ)
LIMITED = principal("limited", Scope.SEND)
ANYBODY = Principal()
TOKENS = [
    Token(principal=SENDER, hmac_secret=b"of-the-sender"),
    Token(principal=READER, hmac_secret=b"of-the-reader"),
    Token(principal=LIMITED, hmac_secret=b"of-the-limited", rate=Rate(10, timedelta(minutes=1))),  # one at once
]


def signed_by(secret: bytes) -> Fields:
    return {b"sentry-hook-signature": hmac(secret, BODY, "sha256").hexdigest().encode()}


def post(address: str = "192.0.2.1", path: str = "/alerts", query: bytes = b"") -> AsgiScope:
    return {**http_scope("POST", path), "client": (address, 40_000), "query_string": query}


def header(problem: Problem | None, name: str) -> str:
    assert problem is not None
    return dict(problem.headers).get(name, "")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def access(clock: FakeClock) -> AccessControl:
    return AccessControl(TokenTable(TOKENS), anybody=ANYBODY, clock=clock)


def wrong(access: AccessControl, times: int, address: str = "192.0.2.1") -> Problem:
    """Let the address try a wrong token so often; return the last answer."""
    return [access.unproven(post(address), WRONG) for _ in range(times)][-1]


def test_without_tokens_everybody_is_anybody(clock: FakeClock) -> None:
    """Nothing is asked for, and what is shown does not matter."""
    access = AccessControl(TokenTable([]), anybody=ANYBODY, clock=clock)
    assert not access.asks_for_token
    assert access.by_token(WRONG, b"") is ANYBODY


@pytest.mark.parametrize(
    ("fields", "query", "who"),
    [
        (RIGHT, b"", SENDER),
        ({}, b"token=reader", READER),
        (WRONG, b"token=reader", READER),
        (WRONG, b"", None),
        ({}, b"", None),
    ],
    ids=["header", "query", "one of two", "wrong", "none"],
)
def test_a_right_token_tells_who_it_is(
    access: AccessControl, fields: Fields, query: bytes, who: Principal | None
) -> None:
    """One right token among those that are offered is enough."""
    assert access.by_token(fields, query) is who


def test_a_used_up_rate_is_429(access: AccessControl) -> None:
    """The client learns when the next request is taken, in whole seconds."""
    assert access.over_rate(LIMITED) is None
    problem = access.over_rate(LIMITED)
    assert problem is not None
    assert (problem.status, header(problem, "Retry-After")) == (429, "6")


def test_a_rate_recovers(access: AccessControl, clock: FakeClock) -> None:
    """After what Retry-After says, one more is taken."""
    access.over_rate(LIMITED)
    clock.pass_time(timedelta(seconds=6))
    assert access.over_rate(LIMITED) is None
    assert access.over_rate(LIMITED) is not None


def test_a_token_without_a_rate_has_none(access: AccessControl) -> None:
    """The default is any number."""
    assert [access.over_rate(SENDER) for _ in range(1000)] == [None] * 1000


def test_a_missing_token_is_asked_for_again_and_again(access: AccessControl) -> None:
    """Who shows nothing guesses nothing: a browser must be able to ask its user for the password."""
    answers = [access.unproven(post(), {}) for _ in range(100)]
    assert {answer.status for answer in answers} == {401}
    assert all(header(answer, "WWW-Authenticate").startswith("Bearer") for answer in answers)


def test_too_many_wrong_tokens_are_429(access: AccessControl, clock: FakeClock) -> None:
    """After ten in a minute the address is told how long to wait, which is until the minute ends."""
    assert wrong(access, MAX_WRONG).status == 401
    clock.pass_time(timedelta(seconds=20))
    problem = wrong(access, 1)
    assert (problem.status, header(problem, "Retry-After")) == (429, "40")
    clock.pass_time(timedelta(seconds=40))
    assert wrong(access, 1).status == 401


def test_wrong_tokens_in_the_url_count_as_well(access: AccessControl) -> None:
    """Wherever they are guessed."""
    answers = [access.unproven(post(query=b"token=%d" % number), {}) for number in range(MAX_WRONG + 1)]
    assert answers[-1].status == 429


def test_a_neighbour_pays_nothing(access: AccessControl) -> None:
    """Another address is not limited, and the right token passes from the limited one too: no alert is lost."""
    wrong(access, MAX_WRONG + 1)
    assert wrong(access, 1, "192.0.2.2").status == 401
    assert access.by_token(RIGHT, b"") is SENDER


@pytest.mark.parametrize(
    ("fields", "scope", "awaited"),
    [
        (signed_by(b"x"), post(), True),
        (signed_by(b"x"), post(path="/alerts/sentry"), True),
        (signed_by(b"x"), post(path="/heartbeats/x"), False),
        (signed_by(b"x"), http_scope("GET", "/alerts"), False),
        ({}, post(), False),
    ],
    ids=["alerts", "format", "ping", "reading", "unsigned"],
)
def test_only_signed_alerts_are_read_without_a_token(
    access: AccessControl, fields: Fields, scope: AsgiScope, awaited: bool
) -> None:
    """Nothing else lets a stranger's body in."""
    assert access.awaits_signature(scope, fields) is awaited


def test_without_secrets_no_signature_is_awaited(clock: FakeClock) -> None:
    """Where nobody can sign, no body of a stranger is read."""
    access = AccessControl(TokenTable([Token(principal=SENDER)]), anybody=ANYBODY, clock=clock)
    assert not access.awaits_signature(post(), signed_by(b"x"))


def test_a_right_signature_tells_who_it_is(access: AccessControl) -> None:
    """It is as good as the token."""
    assert access.by_signature(post(), signed_by(b"of-the-sender"), BODY) is SENDER


@pytest.mark.parametrize(
    ("secret", "status"),
    [(b"another", 401), (b"of-the-reader", 403)],
    ids=["wrong", "not for sending"],
)
def test_a_signature_that_does_not_do_is_refused(access: AccessControl, secret: bytes, status: int) -> None:
    """The refusal is logged like one of the gate."""
    with capture_logs() as logs:
        problem = access.by_signature(post(), signed_by(secret), BODY)
    assert isinstance(problem, Problem)
    assert problem.status == status
    assert [(line["event"], line["status"]) for line in logs] == [("request_refused", status)]


def test_a_signer_has_its_rate(access: AccessControl) -> None:
    """Signing does not get around it."""
    answers = [access.by_signature(post(), signed_by(b"of-the-limited"), BODY) for _ in range(2)]
    assert answers[0] is LIMITED
    assert isinstance(answers[1], Problem)
    assert answers[1].status == 429


def test_wrong_signatures_count_as_wrong_tokens(access: AccessControl) -> None:
    """Both are guesses of the same address."""
    wrong(access, MAX_WRONG)
    problem = access.by_signature(post(), signed_by(b"another"), BODY)
    assert isinstance(problem, Problem)
    assert problem.status == 429


def test_other_doors_share_the_count(access: AccessControl) -> None:
    """An address that guesses by SMTP is limited by HTTP as well, and the reverse."""
    assert access.principal_of(b"sender", peer="192.0.2.1") is SENDER
    for password in [b"reader", *[b"wrong"] * (MAX_WRONG - 1)]:
        assert access.principal_of(password, peer="192.0.2.1") is None
    assert not access.is_barred("192.0.2.1")
    assert wrong(access, 1).status == 429
    assert access.is_barred("192.0.2.1")
    assert not access.is_barred("192.0.2.2")


def test_an_address_that_signs_wrong_again_and_again_is_not_read(access: AccessControl, clock: FakeClock) -> None:
    """It is told to wait before its body is asked for; another address signs as ever."""
    fields = signed_by(b"another")
    for _ in range(MAX_WRONG + 1):
        assert access.awaits_signature(post(), fields)
        access.by_signature(post(), fields, BODY)
    assert not access.awaits_signature(post(), fields)
    assert (access.unproven(post(), fields).status, header(access.unproven(post(), fields), "Retry-After")) == (
        429,
        "60",
    )
    assert access.awaits_signature(post("192.0.2.2"), fields)
    clock.pass_time(timedelta(seconds=60))
    assert access.awaits_signature(post(), fields)


def test_wrong_tokens_keep_no_signature_out(access: AccessControl) -> None:
    """A job with an old token costs a tool that signs from the same address no alert."""
    wrong(access, 2 * MAX_WRONG)
    assert access.awaits_signature(post(), signed_by(b"of-the-sender"))
