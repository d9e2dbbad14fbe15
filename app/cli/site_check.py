"""All that `mailalert check` looks at, one after the other."""

from app.cli.alarm_check import check_alarms
from app.cli.ending import CONFIGURATION
from app.cli.findings import DO, FAILED, OK, say
from app.cli.relay_check import RelayCheck, Sending
from app.domain.envelope import Letterhead, Templates
from app.domain.errors import ConfigurationError
from app.mail.dkim import DkimSigner, dkim_public_record
from app.settings.model import Settings


async def check_site(settings: Settings, templates: Templates, *, with_mail: bool, with_alarm: bool) -> int:
    """Return the exit code: 0 if all is well, else that of what most needs a person."""
    assert settings.mail_from is not None, "load_settings refuses to go on without a sender"
    setups = settings.outgoing_relays()
    relays = ", ".join(str(setup.relay) for setup in setups)
    say(OK, f"the settings are complete; mail goes from {settings.mail_from.address} over {relays}")
    try:
        signer = _signer(settings)
    except ConfigurationError as error:
        say(FAILED, str(error))
        return CONFIGURATION
    letterhead = Letterhead(settings.server_name, settings.mail_from, settings.mail_to, templates)
    sending = Sending(letterhead=letterhead, helo_name=settings.announced_name(), signer=signer)
    codes = [await RelayCheck(setup, sending).run(with_mail=with_mail) for setup in setups]
    codes.append(await check_alarms(settings, with_alarm=with_alarm))
    return max(codes)


def _signer(settings: Settings) -> DkimSigner | None:
    """Return what signs the mails, and say what to publish; None if they are not signed."""
    setup = settings.dkim_setup()
    if setup is None:
        return None
    signer = DkimSigner(setup.domain, setup.selector, setup.key)
    say(OK, f"mails are signed for {setup.domain}")
    say(DO, f"publish, unless it is there: {setup.selector}._domainkey.{setup.domain} TXT {_record(setup.key)}")
    return signer


def _record(key: bytes) -> str:
    """Return the record as zone files write it: RFC 1035 section 3.3.14 has strings of at most 255 characters."""
    record = dkim_public_record(key)
    return " ".join(f'"{record[start : start + 255]}"' for start in range(0, len(record), 255))
