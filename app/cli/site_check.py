"""All that `mailalert check` looks at, one after the other."""

from app.cli.alarm_check import check_alarms
from app.cli.ending import CONFIGURATION
from app.cli.findings import DO, FAILED, OK, say
from app.cli.relay_check import RelayCheck, Sending
from app.domain.envelope import Letterhead
from app.domain.errors import ConfigurationError
from app.mail.dkim import dkim_public_record
from app.settings.model import Settings
from app.settings.sections import DkimSetup
from app.wiring.sending import dkim_signer


async def check_site(settings: Settings, letterhead: Letterhead, *, with_mail: bool, with_alarm: bool) -> int:
    """Return the exit code: 0 if all is well, else that of what most needs a person."""
    setups = settings.outgoing_relays()
    relays = ", ".join(str(setup.relay) for setup in setups)
    say(OK, f"the settings are complete; mail goes from {letterhead.sender.address} over {relays}")
    try:
        signer = dkim_signer(settings)
        if setup := settings.dkim_setup():
            _tell_dkim(setup)
    except ConfigurationError as error:
        say(FAILED, str(error))
        return CONFIGURATION
    sending = Sending(letterhead=letterhead, helo_name=settings.announced_name(), signer=signer)
    codes = [await RelayCheck(setup, sending).run(with_mail=with_mail) for setup in setups]
    codes.append(await check_alarms(settings, with_alarm=with_alarm))
    return max(codes)


def _tell_dkim(setup: DkimSetup) -> None:
    """Say what has to be published for the signatures."""
    say(OK, f"mails are signed for {setup.domain}")
    say(DO, f"publish, unless it is there: {setup.selector}._domainkey.{setup.domain} TXT {_record(setup.key)}")


def _record(key: bytes) -> str:
    """Return the record as zone files write it: RFC 1035 section 3.3.14 has strings of at most 255 characters."""
    record = dkim_public_record(key)
    return " ".join(f'"{record[start : start + 255]}"' for start in range(0, len(record), 255))
