"""What a report of a server behind the relay changes."""

from dataclasses import replace

import pytest

from app.domain.address import Mailbox
from app.domain.bounce import BouncedRecipient, BounceKind, BounceReport, judge_bounce
from app.domain.envelope import Delivery, DeliveryState, QueuedMail
from tests.support.factories import Factory

OPS, BOSS = "ops@example.org", "boss@example.org"
NO_SUCH_USER = "550 5.1.1 no such user"


def sent_mail(*states: DeliveryState) -> QueuedMail:
    """Return a mail to two people that the relay has taken, or whose recipients stand like this."""
    states = states or (DeliveryState.SENT, DeliveryState.SENT)
    mail = Factory().mail()
    return replace(mail, deliveries=tuple(Delivery(n, state, relay="mx1") for n, state in enumerate(states)))


def failed(address: str = "", *, original: str = "", status: str = "5.1.1") -> BouncedRecipient:
    """Return what a report says of a recipient who has not got it."""
    return BouncedRecipient(
        kind=BounceKind.FAILED, address=address, original=original, status=status, reply=NO_SUCH_USER, remote="mx2"
    )


def report(*recipients: BouncedRecipient, position: int | None = None) -> BounceReport:
    """Return the report."""
    return BounceReport(envelope_id=1, recipients=recipients, position=position)


def test_a_failure_behind_the_relay_bounces_its_recipient_alone() -> None:
    """With the words of the server that said it, the reason in ours, and the relay that had taken it."""
    verdict = judge_bounce(sent_mail(), report(failed(BOSS)))
    (touched,) = verdict.touched
    assert touched == Delivery(
        1, DeliveryState.BOUNCED, relay="mx1", reply=NO_SUCH_USER, reason="mailbox does not exist", remote="mx2"
    )
    assert verdict.hard == {1}


def test_the_address_that_we_wrote_outweighs_the_final_one() -> None:
    """Behind an alias the final address may be somebody else's."""
    verdict = judge_bounce(sent_mail(), report(failed(BOSS, original="OPS@example.org")))
    assert [delivery.position for delivery in verdict.touched] == [0]


def test_verp_tells_the_recipient_whatever_the_report_says() -> None:
    """The address that the report came to was made for one recipient."""
    verdict = judge_bounce(sent_mail(), report(failed("unknown@elsewhere.example"), position=1))
    assert [delivery.position for delivery in verdict.touched] == [1]
    assert judge_bounce(sent_mail(), report(failed(BOSS), position=7)).touched == ()


def test_whom_the_mail_does_not_have_is_told_apart() -> None:
    """Behind an alias of several people nobody is guessed at, and a position of another mail is nobody's."""
    stranger = failed("x@elsewhere.example")
    assert judge_bounce(sent_mail(), report(stranger, failed(OPS))).unplaced == (stranger,)
    assert judge_bounce(sent_mail(), report(failed(OPS), position=2)).unplaced == (failed(OPS),)


def test_capital_letters_of_ascii_alone_are_equal() -> None:
    """The Kelvin sign is no k: it may be another mailbox."""
    mail = sent_mail()
    recipients = (Mailbox("desk@example.org"), Mailbox(BOSS))
    mail = replace(mail, letterhead=replace(mail.letterhead, recipients=recipients))
    kelvin = failed("des\N{KELVIN SIGN}@example.org")
    assert judge_bounce(mail, report(failed("DESK@Example.Org"), kelvin)).unplaced == (kelvin,)


def test_the_only_recipient_needs_no_name() -> None:
    """Reports of no standard may name nobody, and aliases rename people; with several nobody is guessed at."""
    alone = replace(Factory().mail(recipients=1), deliveries=(Delivery(0, DeliveryState.SENT),))
    assert [d.position for d in judge_bounce(alone, report(failed("x@elsewhere.example"))).touched] == [0]
    assert judge_bounce(sent_mail(), report(failed("x@elsewhere.example"))).touched == ()


def test_a_delay_is_no_failure_and_never_takes_one_back() -> None:
    """Reports arrive in any order."""
    late = BouncedRecipient(kind=BounceKind.DELAYED, address=OPS, status="4.4.1", reply="connection timed out")
    (touched,) = judge_bounce(sent_mail(), report(late)).touched
    assert (touched.state, touched.reason) == (DeliveryState.DELAYED, "next mail server does not answer")
    bounced = sent_mail(DeliveryState.BOUNCED, DeliveryState.SENT)
    assert judge_bounce(bounced, report(late)).touched == ()


def test_a_report_that_comes_again_is_no_news() -> None:
    """So nothing is counted twice."""
    mail = sent_mail()
    (touched,) = judge_bounce(mail, report(failed(OPS))).touched
    again = judge_bounce(replace(mail, deliveries=(touched, mail.deliveries[1])), report(failed(OPS)))
    assert (again.touched, again.is_repeated) == ((), True)


@pytest.mark.parametrize(
    ("state", "is_early"),
    [(DeliveryState.PENDING, True), (DeliveryState.REFUSED, False), (DeliveryState.DROPPED, False)],
)
def test_who_was_not_sent_the_mail_cannot_bounce(state: DeliveryState, is_early: bool) -> None:
    """Such a recipient has an outcome of his own, or will have one in a moment."""
    verdict = judge_bounce(sent_mail(state, DeliveryState.SENT), report(failed(OPS)))
    assert (verdict.touched, verdict.is_early) == ((), is_early)


@pytest.mark.parametrize(
    ("status", "is_hard"),
    [
        ("5.1.1", True),
        ("5.1.2", True),
        ("5.2.1", True),
        ("", False),
        ("5.0.0", False),
        ("5.1.10", True),
        ("5.7.17", True),
        ("5.2.2", False),
        ("5.7.1", False),
        ("5.3.4", False),
    ],
)
def test_only_an_address_of_no_use_counts_as_hard(status: str, is_hard: bool) -> None:
    """A full mailbox and a policy may be others tomorrow."""
    assert bool(judge_bounce(sent_mail(), report(failed(OPS, status=status))).hard) is is_hard
