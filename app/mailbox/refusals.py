"""Mails that a server refuses to give out: whether each is damaged by itself, or the store has trouble."""

from dataclasses import dataclass

from app.domain.mailbox_server import MailboxServer
from app.domain.mailbox_session import FetchedMail, Trouble
from app.mailbox.faults import mailbox_fault

FEWEST = 2  # mails: one that is refused may well be damaged


@dataclass(frozen=True, slots=True)
class RefusedMail(FetchedMail):
    """One that was asked for in vain. `is_for_now` if the server says by a code that it is the store, not the mail."""

    is_for_now: bool = False


def refused_mail(uid: str, words: str, *, is_for_now: bool) -> RefusedMail:
    """Return it with the server's own words as its fault."""
    return RefusedMail(uid, fault=f'the server does not give it and says "{words}"', is_for_now=is_for_now)


class Refusals:
    """The mails of one fetch on their way to whoever asked, who gives up mails that are refused too often.

    A store in trouble would have all of them given up. So refused ones wait until another one shows that the store is
    sound, and if none does, the trouble is the mailbox's.
    """

    def __init__(self, server: MailboxServer) -> None:
        self._server = server
        self._waiting: list[FetchedMail] = []
        self._refused = 0
        self._reason = ""  # of every refusal so far
        self._is_sound = False

    def pass_on(self, mail: FetchedMail) -> list[FetchedMail]:
        """Return what may be given out behind this mail, in order. Raises MailboxFault for a refusal for now."""
        if isinstance(mail, RefusedMail):
            self._note(mail)
        elif not mail.fault:  # one that is gone or too large tells nothing of the store
            self._is_sound = True
        self._waiting.append(mail)
        return self._released() if self._is_sound else []

    def rest(self) -> list[FetchedMail]:
        """Return what still waits, when no more mail comes. Raises MailboxFault if every mail was refused alike."""
        if not self._is_sound and self._refused >= FEWEST:
            reason = f"none of {self._refused} mails can be read: {self._reason}"
            raise mailbox_fault(self._server, reason, Trouble.BUSY)
        return self._released()

    def _note(self, mail: RefusedMail) -> None:
        if mail.is_for_now:
            raise mailbox_fault(self._server, f"a mail cannot be read now: {mail.fault}", Trouble.BUSY)
        self._is_sound = self._is_sound or (self._refused > 0 and mail.fault != self._reason)
        self._refused += 1
        self._reason = mail.fault

    def _released(self) -> list[FetchedMail]:
        released, self._waiting = self._waiting, []
        return released
