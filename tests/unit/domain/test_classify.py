"""The retry table, line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.classify import Stage, classify
from app.domain.outcome import Deferred, Outcome, Refused, Reply, Scope, Sent


def _short(outcome: Outcome) -> tuple[type[Outcome], Scope | None]:
    return type(outcome), None if isinstance(outcome, Sent) else outcome.scope


@pytest.mark.parametrize(
    ("stage", "reply", "kind", "scope"),
    [
        (Stage.GREETING, Reply(554), Deferred, Scope.RELAY),
        (Stage.GREETING, Reply(421), Deferred, Scope.RELAY),
        (Stage.EHLO, Reply(451), Deferred, Scope.RELAY),
        (Stage.STARTTLS, Reply(454), Deferred, Scope.RELAY),
        (Stage.STARTTLS, Reply(502), Deferred, Scope.CONFIGURATION),
        (Stage.AUTH, Reply(535, "", "5.7.8"), Deferred, Scope.CONFIGURATION),
        (Stage.AUTH, Reply(534, "", "5.7.9"), Deferred, Scope.CONFIGURATION),
        (Stage.AUTH, Reply(432, "", "4.7.12"), Deferred, Scope.CONFIGURATION),
        (Stage.AUTH, Reply(504), Deferred, Scope.CONFIGURATION),
        (Stage.AUTH, Reply(454), Deferred, Scope.RELAY),
        (Stage.MAIL, Reply(530, "", "5.7.0"), Deferred, Scope.CONFIGURATION),
        (Stage.MAIL, Reply(451), Deferred, Scope.MESSAGE),
        (Stage.MAIL, Reply(550), Refused, Scope.MESSAGE),
        (Stage.MAIL, Reply(421), Deferred, Scope.RELAY),
        (Stage.RCPT, Reply(450), Deferred, Scope.RECIPIENT),
        (Stage.RCPT, Reply(550, "", "5.1.1"), Refused, Scope.RECIPIENT),
        (Stage.RCPT, Reply(552, "", "5.2.2"), Deferred, Scope.RECIPIENT),
        (Stage.RCPT, Reply(550, "", "5.2.2"), Deferred, Scope.RECIPIENT),
        (Stage.RCPT, Reply(421), Deferred, Scope.RELAY),
        (Stage.DATA, Reply(451), Deferred, Scope.MESSAGE),
        (Stage.DATA, Reply(554), Refused, Scope.MESSAGE),
        (Stage.DOT, Reply(250), Sent, None),
        (Stage.DOT, Reply(452), Deferred, Scope.MESSAGE),
        (Stage.DOT, Reply(554, "", "5.7.1"), Refused, Scope.MESSAGE),
        (Stage.DOT, Reply(534, "", "5.3.4"), Refused, Scope.MESSAGE),
        (Stage.DOT, Reply(421), Deferred, Scope.RELAY),
        (Stage.DOT, Reply(354), Deferred, Scope.MESSAGE),
        (Stage.RCPT, Reply(550, "", "4.2.1"), Deferred, Scope.RECIPIENT),
        (Stage.RCPT, Reply(450, "", "5.1.1"), Deferred, Scope.RECIPIENT),
    ],
    ids=lambda value: value.name if isinstance(value, Stage) else str(value) if isinstance(value, Reply) else "",
)
def test_table(stage: Stage, reply: Reply, kind: type[Outcome], scope: Scope | None) -> None:
    """Command and phase decide the scope, the codes whether it is for ever."""
    assert _short(classify(stage, reply)) == (kind, scope)


@pytest.mark.parametrize(
    ("reply", "another_accepted", "kind"),
    [
        (Reply(552), True, Deferred),
        (Reply(552), False, Refused),
        (Reply(552, "", "5.3.4"), True, Refused),
    ],
    ids=["too-many-recipients", "the-first-recipient", "enhanced-says-otherwise"],
)
def test_552_to_rcpt(reply: Reply, another_accepted: bool, kind: type[Outcome]) -> None:
    """552 after an accepted recipient means too many, unless an enhanced code says what it means."""
    assert type(classify(Stage.RCPT, reply, another_accepted=another_accepted)) is kind


@given(
    st.sampled_from(Stage),
    st.builds(Reply, st.integers(200, 599), st.text(), st.from_regex(r"([245]\.\d{1,3}\.\d{1,3})?", fullmatch=True)),
)
def test_every_reply_has_a_meaning(stage: Stage, reply: Reply) -> None:
    """Only 5xx is for ever, only a 2xx to the dot is sent, before MAIL nobody is refused; there is a reason."""
    match classify(stage, reply):
        case Sent():
            assert stage is Stage.DOT
            assert reply.code < 300
        case Refused(scope=scope, reason=reason):
            assert reply.code >= 500
            assert scope in {Scope.MESSAGE, Scope.RECIPIENT}
            assert reason
        case Deferred(reason=reason):
            assert reason
