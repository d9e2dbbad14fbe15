"""Reads every source, and either returns settings that the daemon can run with or says what is wrong."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import InitSettingsSource, PydanticBaseSettingsSource

from app.domain.address import Mailbox
from app.domain.errors import ConfigurationError
from app.settings.model import Settings
from app.settings.names import how_to_set, unknown_keys, unknown_variables
from app.settings.problems import in_words
from app.settings.sources import EnvironmentSource, SecretSource, config_file, data_dir, toml_source

# RFC 2606 section 2: .example reaches nobody, should such an address ever get out.
SANDBOX_SENDER = Mailbox("alerts@sandbox.example")
SANDBOX_RECIPIENTS = (Mailbox("ops@sandbox.example"),)
REQUIRED = {
    "relay": 'the SMTP server that takes the mail, such as "smtps://alerts@mail.example.org:465"',
    "mail_from": 'the sender of every mail, such as "alerts@example.org"',
    "mail_to": 'who gets the mail, such as "ops@example.org; boss@example.org"',
}


def load_settings(*, config: Path | None, sandbox: bool, environ: Mapping[str, str]) -> Settings:
    """Return the settings from the configuration file and the environment, which wins.

    With `sandbox` nothing is required and no relay is left, so that no mail can leave the machine.
    Raises ConfigurationError with every problem that was found, one on a line.
    """
    file = toml_source(config_file(config, environ))
    _refuse(unknown_keys(file.toml_data) + unknown_variables(environ))
    settings = _validated(
        EnvironmentSource(environ),
        file,
        SecretSource(environ),
        InitSettingsSource(Settings, data_dir(environ)),
    )
    _refuse(_unguarded(settings))
    if sandbox:
        return _for_sandbox(settings)
    _refuse(_missing(settings))
    settings.outgoing_relay()  # a wrong URL is found now, not at the first mail
    return settings


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
    if http.is_loopback or http.token is not None:
        return []
    return [
        f"http.host: {http.host} can be reached from other machines, so a token is required",
        f"  (set {how_to_set('http.token_file')};\n   or listen on 127.0.0.1 only)",
    ]


def _missing(settings: Settings) -> list[str]:
    missing = [name for name in REQUIRED if not getattr(settings, name)]
    if not missing:
        return []
    return [
        "missing settings:",
        *(f"  {name}: {REQUIRED[name]}\n    (set {how_to_set(name)})" for name in missing),
        "To try it out without any of them: mailalert serve --sandbox",
    ]


def _for_sandbox(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "sandbox": True,
            "relay": None,
            "relay_password": None,
            "mail_from": settings.mail_from or SANDBOX_SENDER,
            "mail_to": settings.mail_to or SANDBOX_RECIPIENTS,
        }
    )


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ConfigurationError("\n".join(problems))
