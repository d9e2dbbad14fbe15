"""Mails that are ready: in their order, and of those with attachments only a few at once."""

import pytest

from app.domain.alert import Severity
from app.domain.envelope import QueuedMail
from app.pipeline.ready import ReadyMails
from tests.support.factories import Factory, an_attachment

make = Factory()


def light(severity: Severity = Severity.WARNING) -> QueuedMail:
    """Return a mail without attachments, younger than all before it."""
    return make.mail(severity=severity)


def heavy(severity: Severity = Severity.WARNING) -> QueuedMail:
    """Return a mail with an attachment, younger than all before it."""
    return make.mail(severity=severity, attachments=(an_attachment(),))


def ready_with(*mails: QueuedMail, most_heavy: int = 1) -> ReadyMails:
    """Return these mails, ready."""
    ready = ReadyMails(most_heavy=most_heavy)
    ready.add(mails)
    return ready


def taken(ready: ReadyMails) -> list[QueuedMail]:
    """Take all that can be had."""
    mails = []
    while (mail := ready.take()) is not None:
        mails.append(mail)
    return mails


# The order


def test_the_most_severe_first_and_equals_as_they_came() -> None:
    """In the order of the journal, over several leases."""
    info, warning, critical = light(Severity.INFO), light(), light(Severity.CRITICAL)
    ready = ready_with(info, warning)
    second = light()
    ready.add([critical, second])
    assert ready.highest_rank == Severity.CRITICAL.rank
    assert taken(ready) == [critical, warning, second, info]


def test_what_is_put_back_comes_before_its_equals_unless_they_are_older() -> None:
    """It was their turn, and still is."""
    oldest, older, younger = light(), light(), light()
    ready = ready_with(oldest, older, younger)
    for _ in range(2):
        ready.take()
    ready.put_back(older)
    ready.put_back(oldest)
    assert taken(ready) == [oldest, older, younger]


def test_what_is_put_back_never_comes_before_what_is_more_severe() -> None:
    """However often a relay hangs up at it."""
    info, critical = light(Severity.INFO), light(Severity.CRITICAL)
    ready = ready_with(info)
    for _ in range(3):
        assert ready.take() is info
        ready.put_back(info)
    ready.add([critical])
    assert taken(ready) == [critical, info]


def test_what_was_removed_does_not_come() -> None:
    """Whoever withdrew it settles it; one that is not there changes nothing."""
    first, second = light(), light()
    ready = ready_with(first, second)
    ready.remove(first.envelope.id)
    ready.remove(0)
    assert (list(ready), len(ready)) == ([second], 1)


def test_what_was_cleared_is_given_back() -> None:
    """In its order."""
    info, critical = light(Severity.INFO), light(Severity.CRITICAL)
    ready = ready_with(info, critical)
    assert ready.clear() == [critical, info]
    assert ready.take() is None


# Mails with attachments


def test_few_with_attachments_are_out_at_once() -> None:
    """Those without go past them, however many and however severe they are."""
    first, second, third = (heavy(Severity.CRITICAL) for _ in range(3))
    info = light(Severity.INFO)
    ready = ready_with(first, second, third, info, most_heavy=2)
    assert taken(ready) == [first, second, info]
    assert list(ready) == [third]


@pytest.mark.parametrize("way", ["put back", "freed"])
def test_a_place_is_free_again(way: str) -> None:
    """When the mail comes back, or takes its memory no longer; its attachments are the next to go then."""
    first, second = heavy(), heavy()
    ready = ready_with(first, second)
    assert taken(ready) == [first]
    if way == "freed":
        ready.free_heavy_place(first.envelope.id)
        assert taken(ready) == [second]
    else:
        ready.put_back(first)
        assert taken(ready) == [first]


def test_a_place_is_freed_once() -> None:
    """A mail that freed its place when the relay stalled does not free another's when it is settled."""
    first, second, third = heavy(), heavy(), heavy()
    ready = ready_with(first, second, third)
    ready.take()
    ready.free_heavy_place(first.envelope.id)
    assert ready.take() is second
    ready.free_heavy_place(first.envelope.id)
    assert ready.take() is None


def test_a_light_mail_frees_no_place() -> None:
    """Only what took one gives one."""
    first, second, other = heavy(), heavy(), light()
    ready = ready_with(first, second)
    ready.take()
    ready.free_heavy_place(other.envelope.id)
    assert ready.take() is None


def test_whoever_takes_no_attachments_leaves_them_their_turn() -> None:
    """A connection on which a light mail may follow takes none past a heavy one, which it could overtake for ever."""
    critical, info = heavy(Severity.CRITICAL), light(Severity.INFO)
    ready = ready_with(critical, info)
    assert ready.take(heavy_too=False) is None
    assert taken(ready) == [critical, info]


def test_whoever_takes_no_attachments_goes_past_those_without_a_place() -> None:
    """Nothing would be gained by waiting for them."""
    first, second, info = heavy(), heavy(), light(Severity.INFO)
    ready = ready_with(first, second, info)
    ready.take()
    assert ready.take(heavy_too=False) is info
