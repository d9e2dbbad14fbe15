"""Reads every source, and either returns settings that the daemon can run with or says what is wrong."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr, ValidationError
from pydantic_settings import InitSettingsSource, PydanticBaseSettingsSource

from app.domain.access import Scope
from app.domain.address import Mailbox
from app.domain.errors import ConfigurationError
from app.domain.receiver import DEFAULT_RECEIVER
from app.settings.mailbox import MailboxSettings, MailboxSetup, check_mailbox_files, mailbox_setup, with_mailbox_secrets
from app.settings.model import Settings
from app.settings.names import how_to_set, unknown_keys, unknown_variables, variable
from app.settings.probe import ProbeSettings
from app.settings.problems import in_words
from app.settings.relay_tables import has_password, with_secrets
from app.settings.relays import check_files
from app.settings.secret_files import SecretFiles
from app.settings.smtp_intake import unguarded_smtp
from app.settings.sources import EnvironmentSource, SecretSource, config_file, data_dir, toml_source
from app.settings.tokens import alike, hmac_secrets

# RFC 2606 section 2: .example reaches nobody, should such an address ever get out.
SANDBOX_SENDER = Mailbox("alerts@sandbox.example")
SANDBOX_RECIPIENTS = (Mailbox("ops@sandbox.example"),)
MAILBOX = "mailbox"  # the section
SHORT_FORM = ("relay", "relay_password", "relay_password_file", "relay_connections")
REQUIRED = {
    "relay": 'the SMTP server that takes the mail, such as "smtps://alerts@mail.example.org:465", or several as relays',
    "mail_from": 'the sender of every mail, such as "alerts@example.org"',
    "mail_to": 'who gets the mail, such as "ops@example.org; boss@example.org", or one of receivers named "default"',
}


def load_settings(*, config: Path | None, sandbox: bool, environ: Mapping[str, str]) -> Settings:
    """Return the settings from the configuration file and the environment, which wins.

    With `sandbox` nothing is required and no relay is left, so that no mail can leave the machine.
    Raises ConfigurationError with every problem that was found, one on a line.
    """
    file = toml_source(config_file(config, environ))
    _refuse(unknown_keys(file.toml_data) + unknown_variables(environ))
    files = SecretFiles(environ)
    settings = _validated(
        EnvironmentSource(environ),
        file,
        SecretSource(files),
        InitSettingsSource(Settings, data_dir(environ)),
    )
    _refuse(_unguarded(settings) + _relays_in_two_ways(settings) + _half_a_signature(settings))
    _refuse(_unguarded_smtp(settings))
    _refuse(alike(settings.tokens, settings.http.token))
    settings = settings.model_copy(update={"hmac_secrets": hmac_secrets(settings.tokens, files)})
    settings = _for_sandbox(settings) if sandbox else settings
    _refuse(_missing(settings) + _no_mailbox(settings))
    settings.route_tree()  # a receiver that nobody declared is found now, not at the first alert
    settings.all_heartbeats()
    if sandbox:
        return settings
    settings = _with_relay_secrets(settings, files)
    settings = settings.model_copy(update={"mailbox": with_mailbox_secrets(settings.mailbox, files)})
    check_files(settings.outgoing_relays())  # a wrong URL and a lost file are found now, not at the first mail
    if mailbox := settings.mailbox_setup():
        check_mailbox_files(mailbox)
    return settings


def load_mailbox(*, config: Path | None, environ: Mapping[str, str]) -> MailboxSetup | None:
    """Return the mailbox of the settings, for a program that reads it and sends nothing; None for none.

    What stands outside of the section may be missing, or wrong. Raises ConfigurationError as `load_settings` does.
    """
    table = toml_source(config_file(config, environ)).toml_data
    section = {name: value for name, value in table.items() if name == MAILBOX}
    variables = {name: value for name, value in environ.items() if name.upper().startswith(variable(f"{MAILBOX}."))}
    _refuse(unknown_keys(section) + unknown_variables(variables))
    settings = _validated(EnvironmentSource(variables), InitSettingsSource(Settings, section))
    _refuse(_no_mailbox(settings))
    setup = mailbox_setup(with_mailbox_secrets(settings.mailbox, SecretFiles(environ)), settings.mail_from)
    if setup:
        check_mailbox_files(setup)
    return setup


def _validated(*sources: PydanticBaseSettingsSource) -> Settings:
    problems: list[str] = []
    try:
        return Settings(_build_sources=(sources, {}))
    except ValidationError as error:
        problems = in_words(error)
    # Raised outside the handler: pydantic's error holds what was given, secrets too.
    raise ConfigurationError("\n".join(problems))


def _unguarded(settings: Settings) -> list[str]:
    http = settings.http
    if http.is_loopback or http.token is not None or settings.tokens:
        return []
    return [
        f"http.host: {http.host} can be reached from other machines, so a token is required",
        f"  (set {how_to_set('http.token_file')};\n   or give tokens; or listen on 127.0.0.1 only)",
    ]


def _unguarded_smtp(settings: Settings) -> list[str]:
    can_send = settings.http.token is not None or any(Scope.SEND in entry.scopes for entry in settings.tokens)
    return unguarded_smtp(settings.smtp_intake, has_tokens=can_send)


def _relays_in_two_ways(settings: Settings) -> list[str]:
    given = [name for name in SHORT_FORM if name in settings.model_fields_set]
    if not (settings.relays and given):
        return []
    return [f"{', '.join(given)} and relays: both are given; relay is the short form of one table, so keep one of them"]


def _half_a_signature(settings: Settings) -> list[str]:
    dkim = settings.dkim
    needed = {"dkim.selector": dkim.selector, "dkim.key_file": dkim.key}
    missing = [name for name, value in needed.items() if value is None]
    if not missing or not (dkim.domain or dkim.selector or dkim.key):
        return []
    return [f"{name}: is missing, and without it no mail is signed (set {how_to_set(name)})" for name in missing]


def _missing(settings: Settings) -> list[str]:
    given = {
        "relay": settings.relay or settings.relays or settings.sandbox,
        "mail_from": settings.mail_from,
        "mail_to": _has_default_receiver(settings),
    }
    missing = [name for name in REQUIRED if not given[name]]
    if not missing:
        return []
    return [
        "missing settings:",
        *(f"  {name}: {REQUIRED[name]}\n    (set {how_to_set(name)})" for name in missing),
        "To try it out without any of them: mailalert serve --sandbox",
    ]


def _no_mailbox(settings: Settings) -> list[str]:
    if settings.mailbox.url is not None:
        return []
    place = f"\n  (set {how_to_set('mailbox.url')})"
    if settings.mailbox != MailboxSettings():
        return [f"mailbox.url: is missing, and without it no mailbox is read{place}"]
    if settings.probe.every is not None:
        return [f"probe.every: probes need a mailbox that is read, to see whether they arrive{place}"]
    return []


def _has_default_receiver(settings: Settings) -> bool:
    return any(receiver.name == DEFAULT_RECEIVER for receiver in settings.all_receivers())


def _with_relay_secrets(settings: Settings, files: SecretFiles) -> Settings:
    """Return the settings with the relays' secrets that stand in files, those of the form in which they are given."""
    if settings.relay is None:
        return settings.model_copy(update={"relays": with_secrets(settings.relays, files)})
    password = files.find(
        "relay_password",
        given=settings.relay_password is not None or has_password(settings.relay),
        file=settings.relay_password_file,
        credential="relay_password",
    )
    if password is None:
        return settings
    return settings.model_copy(
        update={"relay_password": SecretStr(password.secret), "relay_password_file": password.path}
    )


def _for_sandbox(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "sandbox": True,
            "relay": None,
            "relays": (),
            "mailbox": MailboxSettings(),  # its mail stays where it is
            "probe": ProbeSettings(),
            "mail_from": settings.mail_from or SANDBOX_SENDER,
            "mail_to": settings.mail_to or (() if _has_default_receiver(settings) else SANDBOX_RECIPIENTS),
        }
    )


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ConfigurationError("\n".join(problems))
