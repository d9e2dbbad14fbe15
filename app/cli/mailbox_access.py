"""The way into a mailbox from the command line: who logs in, how long a busy one is tried, and how a fault ends."""

import asyncio
import getpass
import os
import re
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from app.cli.ending import CONFIGURATION, REFUSED, TEMPORARY, USAGE, fail
from app.cli.mailbox_advice import for_port
from app.cli.mailbox_mails import MailUnavailable
from app.cli.mailbox_where import Where
from app.domain.errors import ConfigurationError
from app.domain.login import Login, Logins
from app.domain.mailbox_server import MailboxProtocol, MailboxServer, parse_mailbox_url
from app.domain.mailbox_session import LASTING, MailboxFault, MailboxSession, Trouble
from app.domain.relay import TlsFiles
from app.mailbox.opening import open_mailbox, session_by
from app.net.logins import FixedLogin, PasswordFile

PATIENCE_S = 20.0  # the daemon holds a POP3 mailbox for as long as it reads what is new: seconds
PAUSE_S = 1.0
SETTING = "--mailbox"
FOLDER_OPTION = {"mailbox.folder": "--folder"}
OPTIONS = {"ca_file": "--ca-file", **FOLDER_OPTION}  # that --mailbox goes with

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Access:
    """A mailbox, and how to log in to it. `options` stand on the command line in the place of settings."""

    server: MailboxServer
    logins: Logins
    options: Mapping[str, str] = field(default_factory=dict)


def access_to(where: Where) -> Access:
    """Return the way into the mailbox that is meant; the terminal may be asked for its password.

    Ends with 64 if the command line is wrong, and with 78 if the settings are.
    """
    access = _of_settings(where.config) if where.url is None else _of_command_line(where, where.url)
    if not where.folder:
        return access
    if access.server.protocol is MailboxProtocol.POP3:
        fail("--folder: POP3 knows no folders; leave it out, or read by IMAP (imaps://)", USAGE)
    options = {**access.options, **FOLDER_OPTION}
    return replace(access, server=replace(access.server, folder=where.folder), options=options)


def in_mailbox(access: Access, action: Callable[[MailboxSession], Awaitable[Result]]) -> Result:
    """Return what `action` returns, done in a session of its own. A fault ends the command, as in `run`."""
    return run(_in_session(access, action))


def run(work: Coroutine[None, None, Result]) -> Result:
    """Return what comes of work in mailboxes. A fault ends the command: 78 if waiting does not help."""
    try:
        return asyncio.run(work)
    except MailboxFault as fault:
        fail(fault, CONFIGURATION if fault.trouble in LASTING else TEMPORARY)
    except MailUnavailable as error:
        fail(error, REFUSED)


def session_in(access: Access) -> AbstractAsyncContextManager[MailboxSession]:
    """Open a session, and try again for PATIENCE_S while another one holds the mailbox; it ends with the block."""
    return session_by(_opened(access))


async def _in_session(access: Access, action: Callable[[MailboxSession], Awaitable[Result]]) -> Result:
    async with session_in(access) as session:
        return await action(session)


async def _opened(access: Access) -> MailboxSession:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    while True:
        try:
            return await open_mailbox(access.server, access.logins)
        except MailboxFault as fault:
            if fault.trouble is not Trouble.IN_USE:
                raise MailboxFault(_in_words(access, fault), fault.trouble) from fault
            if loop.time() > deadline:
                told = f"{fault}; it was tried for {PATIENCE_S:.0f} s: the daemon or a mail program reads it just now"
                raise MailboxFault(told, fault.trouble) from None
        await asyncio.sleep(PAUSE_S)


def _in_words(access: Access, fault: MailboxFault) -> str:
    """Return the fault with what may mend it on this command line."""
    text = "; ".join([str(fault), *for_port(access.server, fault)])
    for setting, option in access.options.items():
        text = re.sub(rf"(?<![\w/.-]){re.escape(setting)}(?![\w/.-])", option, text)  # no part of a path
    return text


def _of_settings(config: Path | None) -> Access:
    # These take as long to import as all the rest.
    from app.logs import configure_logs
    from app.settings.load import load_mailbox
    from app.wiring.logins import mailbox_logins

    try:
        setup = load_mailbox(config=config, environ=os.environ)
    except ConfigurationError as error:
        fail(error, CONFIGURATION)
    if setup is None:
        fail("no mailbox is set: set url below [mailbox], or name one with --mailbox", CONFIGURATION)
    configure_logs(secrets=setup.secrets)
    return Access(setup.server, mailbox_logins(setup))


def _of_command_line(where: Where, url: str) -> Access:
    try:
        server = parse_mailbox_url(url, tls=TlsFiles(ca=str(where.ca_file or "")), setting=SETTING)
    except ConfigurationError as error:
        fail(error, USAGE)
    if server.password:
        fail(
            "everybody on this machine can see a password in --mailbox (ps): use --password-file, or type it in", USAGE
        )
    if where.password_file:
        return Access(server, PasswordFile(server.username, where.password_file), OPTIONS)
    if not sys.stdin.isatty():
        fail("--mailbox needs --password-file where there is no terminal to ask for the password", USAGE)
    password = getpass.getpass(f"Password for {server}: ")
    return Access(server, FixedLogin(Login(server.username, password)), OPTIONS)
