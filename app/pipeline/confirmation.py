"""The short mail that tells a person what became of an answer to an alert; never so many that robots could go on."""

from datetime import datetime

from app.domain.acknowledgement import AckAction, AckEvent
from app.domain.address import parse_mailbox
from app.domain.alert import Alert, Severity
from app.domain.answered import Answered
from app.domain.envelope import QueuedMail
from app.domain.errors import AddressError
from app.pipeline.notice import SOURCE

# A person acknowledges a storm of alerts one after the other; a robot that hides that it is one would not stop there.
MOST_PER_HOUR = 30


def confirmation_of(event: AckEvent, mail: QueuedMail, answered: Answered) -> tuple[Alert, ...]:
    """Return the mail to whoever acknowledged, none if their address is of no use.

    It does not begin with a word that acknowledges: a robot that sends it back says nothing by that.
    """
    try:
        person = parse_mailbox(event.who)
    except AddressError:
        return ()
    subject = mail.accepted.alert.subject
    return (
        Alert(
            subject=f"Re: {subject}" if not subject.startswith("Re: ") else subject,
            content=_text(event, subject),
            severity=Severity.INFO,
            source=SOURCE,
            to=(person,),
            answers=answered,
        ),
    )


def _text(event: AckEvent, subject: str) -> str:
    if event.action is AckAction.TAKEN_BACK:
        return f'"{subject}" is open again: your answer took the acknowledgement back.'
    until = f"until {_time(event.until)}" if event.until else 'until somebody answers "unack"'
    if event.until and event.until <= event.at:
        return f'"{subject}" is still open: the time that you gave was over when your answer came.'
    return f'You see to "{subject}" {until}. Until then there are no further alarms about its mails.'


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
