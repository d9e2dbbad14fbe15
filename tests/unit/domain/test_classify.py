"""The retry table, line by line, and the sentences that people read of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.classify import Stage, classify, over_size
from app.domain.outcome import Deferred, Outcome, Refused, Reply, Scope, Sent, in_words, kind_of
from app.domain.sentence import sentence
from tests.support.factories import Factory, judged


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


# Every reply code of RFC 5321 section 4.2.3, and those that RFC 4954 and RFC 7504 add, at every stage.
# r: the relay's fault, c: the configuration's, m: the message waits, p: the recipient (person) waits,
# M and P: refused for good, L: refused, because it is too large, S: sent.
EVERY_CODE = """
     GREETING EHLO STARTTLS AUTH MAIL RCPT DATA DOT
211  r        r    r        r    m    p    m    S
214  r        r    r        r    m    p    m    S
220  r        r    r        r    m    p    m    S
221  r        r    r        r    m    p    m    S
235  r        r    r        r    m    p    m    S
250  r        r    r        r    m    p    m    S
251  r        r    r        r    m    p    m    S
252  r        r    r        r    m    p    m    S
334  r        r    r        r    m    p    m    m
354  r        r    r        r    m    p    m    m
421  r        r    r        r    r    r    r    r
432  r        r    r        c    m    p    m    m
450  r        r    r        r    m    p    m    m
451  r        r    r        r    m    p    m    m
452  r        r    r        r    m    p    m    m
454  r        r    r        r    m    p    m    m
455  r        r    r        r    m    p    m    m
500  r        r    c        c    M    P    M    M
501  r        r    c        c    M    P    M    M
502  r        r    c        c    M    P    M    M
503  r        r    c        c    M    P    M    M
504  r        r    c        c    M    P    M    M
521  r        r    c        c    M    P    M    M
530  c        c    c        c    c    c    c    c
534  c        c    c        c    c    c    c    c
535  c        c    c        c    c    c    c    c
538  c        c    c        c    c    c    c    c
550  r        r    c        c    M    P    M    M
551  r        r    c        c    M    P    M    M
552  r        r    c        c    L    P    L    L
553  r        r    c        c    M    P    M    M
554  r        r    c        c    M    P    M    M
555  r        r    c        c    M    P    M    M
556  r        r    c        c    M    P    M    M
"""
STAGES, *ROWS = [line.split() for line in EVERY_CODE.strip().splitlines()]
LETTERS = {Scope.RELAY: "r", Scope.CONFIGURATION: "c", Scope.MESSAGE: "m", Scope.RECIPIENT: "p"}


def _letter(outcome: Outcome) -> str:
    match outcome:
        case Sent():
            return "S"
        case Refused(too_large=True):
            return "L"
        case Refused(scope=scope):
            return LETTERS[scope].upper()
        case Deferred(scope=scope):
            return LETTERS[scope]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_code_at_every_stage(row: list[str]) -> None:
    """Without an enhanced code the stage and the first digit decide, but for the codes that mean one thing only."""
    code, *expected = row
    assert [_letter(classify(Stage[stage], Reply(int(code)))) for stage in STAGES] == expected


# RFC 3463 section 3 with what the registry of IANA has added (RFC 4954, 6531, 6710, 7293, 7372, 7505, 8617, 8689).
EVERY_DETAIL = [
    f"{subject}.{detail}" for subject, last in enumerate((0, 10, 4, 6, 7, 6, 10, 30)) for detail in range(last + 1)
]
WITHOUT_WORDS = {  # they say "other", or nothing that a person could act on
    "0.0", "1.0", "1.5", "1.9", "2.0", "3.0", "3.6", "4.0", "5.0", "5.6", "6.0", "6.6", "6.8", "6.10",
    "7.6", "7.14", "7.15", "7.16", "7.19",
}  # fmt: skip


@pytest.mark.parametrize("detail", EVERY_DETAIL)
@pytest.mark.parametrize(("stage", "code"), [(Stage.MAIL, 550), (Stage.RCPT, 550), (Stage.DATA, 554), (Stage.DOT, 554)])
def test_every_enhanced_code(stage: Stage, code: int, detail: str) -> None:
    """5.x.y is for ever but for a full mailbox, 4.x.y never is, and codes that disagree are not trusted."""
    assert isinstance(classify(stage, Reply(code, "", f"5.{detail}")), Deferred if detail == "2.2" else Refused)
    assert isinstance(classify(stage, Reply(450, "", f"4.{detail}")), Deferred)
    assert isinstance(classify(stage, Reply(code, "", f"4.{detail}")), Deferred)
    assert isinstance(classify(stage, Reply(450, "", f"5.{detail}")), Deferred)


@pytest.mark.parametrize("detail", EVERY_DETAIL)
def test_an_enhanced_code_is_put_into_words(detail: str) -> None:
    """What a code says goes before the general words, in a sentence that fits them all."""
    outcome = classify(Stage.RCPT, Reply(550, "", f"5.{detail}"))
    assert not isinstance(outcome, Sent)
    assert (outcome.reason == "the relay refused the recipient") == (detail in WITHOUT_WORDS)
    assert outcome.reason[0].islower() or outcome.reason.startswith("SPF")
    assert not outcome.reason.endswith(".")


SENTENCES = {
    "no mailbox": (Stage.RCPT, Reply(550, "x", "5.1.1"), "mailbox does not exist (550 5.1.1), not retried"),
    "full": (Stage.RCPT, Reply(552, "x", "5.2.2"), "mailbox is full (552 5.2.2), tried again"),
    "greylisted": (Stage.RCPT, Reply(451, "x", "4.7.1"), "relay asks to try again later (451 4.7.1), tried again"),
    "unknown refusal": (Stage.RCPT, Reply(550, "x"), "the relay refused the recipient (550), not retried"),
    "unknown delay": (Stage.DOT, Reply(451, "x"), "the relay deferred the mail (451), tried again"),
    "too large": (Stage.MAIL, Reply(552, "x"), "mail is larger than the relay takes (552), not retried"),
    "sender": (
        Stage.MAIL,
        Reply(550, "x", "5.1.1"),
        "sender address refused: mailbox does not exist (550 5.1.1), not retried",
    ),
    "policy": (
        Stage.DOT,
        Reply(554, "x", "5.7.1"),
        "sender or recipient is not permitted here (554 5.7.1), not retried",
    ),
    "sent": (Stage.DOT, Reply(250, "x"), "sent"),
}


@pytest.mark.parametrize(("stage", "reply", "expected"), SENTENCES.values(), ids=SENTENCES.keys())
def test_an_outcome_in_a_sentence(stage: Stage, reply: Reply, expected: str) -> None:
    """People read what became of a mail, by which code, and whether it is tried again."""
    (delivery,) = judged(Factory().mail(recipients=1), [classify(stage, reply)]).deliveries
    assert sentence(delivery) == expected


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (classify(Stage.GREETING, Reply(554, "no", "5.7.1")), "the relay refused the connection (554 5.7.1 no)"),
        (Deferred(Scope.RELAY, "the peer closed the connection"), "the peer closed the connection"),
        (over_size(2000, 1000), "mail is larger than the relay takes: 2000 bytes instead of at most 1000"),
    ],
    ids=["with a reply", "without", "never asked"],
)
def test_an_outcome_in_words(outcome: Deferred | Refused, words: str) -> None:
    """Whoever looks at a relay reads the whole reply, if there was one."""
    assert in_words(outcome) == words


def test_a_mail_over_the_limit_is_as_refused_as_by_the_relay_itself() -> None:
    """For the same kind of reason, so that it may go without its attachments, and both are one cause of alarms."""
    known, told = over_size(2000, 1000), classify(Stage.DOT, Reply(552, "", "5.3.4"))
    assert isinstance(told, Refused)
    assert (known.scope, kind_of(known.reason), known.too_large) == (told.scope, told.reason, told.too_large)


TOO_MANY = {
    "452": (Reply(452), True, True),
    "452 4.5.3": (Reply(452, "", "4.5.3"), True, True),
    "452 5.5.3": (Reply(452, "", "5.5.3"), True, True),
    "550 5.5.3": (Reply(550, "", "5.5.3"), True, True),
    "552": (Reply(552), True, True),
    "452 of the first recipient": (Reply(452), False, False),
    "550 5.5.3 of the first recipient": (Reply(550, "", "5.5.3"), False, False),
    "no room": (Reply(452, "", "4.3.1"), True, False),
    "full mailbox": (Reply(452, "", "4.2.2"), True, False),
    "552 with another meaning": (Reply(552, "", "5.3.4"), True, False),
    "451": (Reply(451), True, False),
}


@pytest.mark.parametrize(("reply", "another_accepted", "too_many"), TOO_MANY.values(), ids=TOO_MANY.keys())
def test_too_many_recipients(reply: Reply, another_accepted: bool, too_many: bool) -> None:
    """A recipient goes into the next mail at once only if this one has another, so that it cannot go on for ever."""
    outcome = classify(Stage.RCPT, reply, another_accepted=another_accepted)
    assert (isinstance(outcome, Deferred) and outcome.too_many_recipients) is too_many


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(Reply(552), Refused), (Reply(550, "", "5.5.3"), Refused), (Reply(452), Deferred)],
    ids=["552", "5.5.3", "452"],
)
def test_too_many_for_the_first_recipient(reply: Reply, kind: type[Outcome]) -> None:
    """Where nobody was accepted, a shorter list would not help: the reply counts as it stands."""
    assert type(classify(Stage.RCPT, reply)) is kind


TOO_LARGE = {
    "552": (Reply(552), True),
    "552 5.3.4": (Reply(552, "", "5.3.4"), True),
    "552 5.2.3": (Reply(552, "", "5.2.3"), True),
    "554 5.3.4": (Reply(554, "", "5.3.4"), True),
    "534 5.3.4": (Reply(534, "", "5.3.4"), True),
    "552 5.7.0, as for a virus": (Reply(552, "", "5.7.0"), False),
    "554": (Reply(554), False),
    "452 4.3.4": (Reply(452, "", "4.3.4"), False),
    "552 5.2.2": (Reply(552, "", "5.2.2"), False),
}


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.DATA, Stage.DOT])
@pytest.mark.parametrize(("reply", "too_large"), TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_too_large(stage: Stage, reply: Reply, too_large: bool) -> None:
    """Refused for its size, a mail may be taken without its attachments; for another reason it is not."""
    outcome = classify(stage, reply)
    assert (isinstance(outcome, Refused) and outcome.too_large) is too_large


any_reply = st.builds(
    Reply, st.integers(200, 599), st.text(), st.from_regex(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})?", fullmatch=True)
)


@given(st.sampled_from(Stage), any_reply, st.booleans())
def test_every_reply_has_a_meaning(stage: Stage, reply: Reply, another_accepted: bool) -> None:
    """Only 5xx is for ever, only a 2xx to the dot is sent, before MAIL nobody is refused; there is a reason."""
    match classify(stage, reply, another_accepted=another_accepted):
        case Sent():
            assert stage is Stage.DOT
            assert reply.code < 300
        case Refused(scope=scope, reason=reason):
            assert reply.code >= 500
            assert scope in {Scope.MESSAGE, Scope.RECIPIENT}
            assert reason
        case Deferred(reason=reason):
            assert reason


@given(st.sampled_from(Stage), any_reply, st.booleans())
def test_a_reason_holds_nothing_that_the_relay_wrote(stage: Stage, reply: Reply, another_accepted: bool) -> None:
    """The words are ours: a relay's text stands beside them, never in them."""
    outcome = classify(stage, reply, another_accepted=another_accepted)
    silent = classify(stage, replace(reply, text=""), another_accepted=another_accepted)
    assert replace(outcome, reply=silent.reply) == silent
