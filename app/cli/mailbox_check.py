"""A visit to the mailbox that tells in plain words whether it can be read. It reads and changes nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.cli.ending import CONFIGURATION, TEMPORARY
from app.cli.findings import DO, FAILED, NOTE, OK, say, show_dialogue
from app.cli.mailbox_advice import for_mailbox, for_mailbox_fault
from app.cli.relay_check import certificate_findings
from app.domain.address import Mailbox
from app.domain.duration import duration_text
from app.domain.mail_read import AfterReading
from app.domain.mailbox_session import LASTING, MailboxFault, MailboxSession
from app.domain.size import size_text
from app.mailbox.introduction import Introduction
from app.mailbox.opening import open_mailbox, session_by
from app.settings.mailbox import MailboxSetup
from app.wiring.logins import mailbox_logins

BECOMES = {
    AfterReading.KEEP: "stays there",
    AfterReading.DELETE: "is deleted",
}


class MailboxCheck:
    """Opens the mailbox as the daemon would, and prints what happens."""

    def __init__(self, setup: MailboxSetup, sender: Mailbox) -> None:
        self._setup = setup
        self._server = setup.server
        self._sender = sender
        self._token_url = setup.oauth.client.shown_url if setup.oauth else ""
        self._dialogue: list[str] = []

    async def run(self) -> int:
        """Return the exit code: 0 if all is well."""
        print(f"\nMailbox {self._server}")
        for warning in for_mailbox(self._server, self._sender):
            say(NOTE, warning)
        try:
            await self._visit()
        except MailboxFault as fault:
            code = self._failed(fault)
        else:
            code = 0
        show_dialogue(self._dialogue, whom="the server")
        return code

    async def _visit(self) -> None:
        opening = open_mailbox(
            self._server, mailbox_logins(self._setup), on_line=self._note_line, on_open=self._tell_opening
        )
        async with session_by(opening) as session:
            await self._tell_mails(session)

    def _note_line(self, who: str, line: str) -> None:
        self._dialogue.append(f"{who}: {line}")

    def _failed(self, fault: MailboxFault) -> int:
        say(FAILED, str(fault))
        for remedy in for_mailbox_fault(self._server, fault, by_token=bool(self._setup.oauth)):
            say(DO, remedy)
        return CONFIGURATION if fault.trouble in LASTING else TEMPORARY

    def _tell_opening(self, introduction: Introduction) -> None:
        for mark, text in opening_findings(introduction, datetime.now(UTC)):
            say(mark, text)
        if introduction.login_by:
            by_token = f", with a token from {self._token_url}" if self._token_url else ""
            say(OK, f"logged in as {self._server.username} by {introduction.login_by}{by_token}")
        say(OK, f"of what it can do this is used: {', '.join(introduction.abilities) or 'nothing'}")

    async def _tell_mails(self, session: MailboxSession) -> None:
        mails = await session.entries()
        size = size_text(sum(mail.size_bytes for mail in mails))
        say(OK, f"{self._server.folder} holds {len(mails)} mails, {size} in all")
        for text in plan_of(self._setup, can_wait=session.can_wait):
            say(OK, text)


def opening_findings(introduction: Introduction, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield what is to be said of the link."""
    yield OK, "connected"
    if introduction.certificate is None:
        yield NOTE, "not encrypted"
    else:
        yield from certificate_findings(
            introduction.certificate, introduction.tls_version, now, consequence="no mail is read"
        )


def plan_of(setup: MailboxSetup, *, can_wait: bool) -> Iterator[str]:
    """Yield what the daemon will do with this mailbox."""
    every = duration_text(setup.every)
    yield f"it will be looked into every {every}" + (", and new mail is told at once" if can_wait else "")
    becomes = BECOMES.get(setup.after, f'is moved to the folder "{setup.move_to}"')
    others = "other mail becomes alerts" if setup.intake else "other mail is left alone"
    yield f"a mail that was acted upon {becomes}; {others}"
