"""All that `mailalert check` looks at, one after the other."""

from collections.abc import Sequence

from app.cli.alarm_check import check_alarms
from app.cli.ending import CONFIGURATION
from app.cli.findings import DO, FAILED, OK, say
from app.cli.mailbox_check import MailboxCheck
from app.cli.relay_check import RelayCheck, Sending
from app.domain.envelope import Letterhead
from app.domain.errors import ConfigurationError
from app.domain.receiver import Receiver
from app.mail.dkim import dkim_public_record
from app.settings.model import Settings
from app.settings.sections import DkimSetup
from app.wiring.sending import dkim_signer


async def check_site(
    settings: Settings, letterheads: Sequence[Letterhead], *, with_mail: bool, with_alarm: bool
) -> int:
    """Return the exit code: 0 if all is well, else that of what most needs a person.

    The letterheads are those of the receivers, the default one's first.
    """
    setups = settings.outgoing_relays()
    relays = ", ".join(str(setup.relay) for setup in setups)
    say(OK, f"the settings are complete; mail goes from {letterheads[0].sender.address} over {relays}")
    for receiver in settings.all_receivers():
        say(OK, f'receiver "{receiver.name}": {_people(receiver)}')
    try:
        signer = dkim_signer(settings)
        if setup := settings.dkim_setup():
            _tell_dkim(setup)
    except ConfigurationError as error:
        say(FAILED, str(error))
        return CONFIGURATION
    sending = Sending(letterheads=letterheads, helo_name=settings.announced_name(), signer=signer)
    codes = [await RelayCheck(setup, sending).run(with_mail=with_mail) for setup in setups]
    if mailbox := settings.mailbox_setup():
        codes.append(await MailboxCheck(mailbox, letterheads[0].sender).run())
    codes.append(await check_alarms(settings, with_alarm=with_alarm))
    return max(codes)


def _people(receiver: Receiver) -> str:
    """Return who gets its mails, and which."""
    lists = {"": receiver.to, "cc ": receiver.cc, "bcc ": receiver.bcc}
    people = "; ".join(f"{how}{mailbox.address}" for how, mailboxes in lists.items() for mailbox in mailboxes)
    return people if receiver.takes_all else f"{people} (from severity {receiver.minimum_severity} on)"


def _tell_dkim(setup: DkimSetup) -> None:
    """Say what has to be published for the signatures."""
    say(OK, f"mails are signed for {setup.domain}")
    say(DO, f"publish, unless it is there: {setup.selector}._domainkey.{setup.domain} TXT {_record(setup.key)}")


def _record(key: bytes) -> str:
    """Return the record as zone files write it: RFC 1035 section 3.3.14 has strings of at most 255 characters."""
    record = dkim_public_record(key)
    return " ".join(f'"{record[start : start + 255]}"' for start in range(0, len(record), 255))
