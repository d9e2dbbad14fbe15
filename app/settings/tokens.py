"""`[[tokens]]` as they are written: who may do what, and the secrets with which bodies are signed."""

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, PlainValidator, SecretStr
from pydantic_settings import NoDecode

from app.domain.access import Scope
from app.domain.errors import ConfigurationError
from app.domain.rate import Rate
from app.net.secret_file import read_private_secret
from app.settings.measures import parse_rate
from app.settings.recipients import Recipients
from app.settings.secret_files import SecretFiles
from app.settings.sections import STRICT
from app.settings.tables import tables_of
from app.settings.values import Name, split_list

SHORT_FORM = "http.token"  # what the token of that setting is called among the others
MAX_SOURCE = 256  # characters; as that of an alert
DIGEST_OF_NOTHING = sha256().hexdigest()
NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
MIN_HMAC_SECRET = 16  # characters: what is shorter can be guessed from one signed body that was overheard
_DIGEST = re.compile("[0-9a-f]{64}")


def _name(value: str) -> str:
    # It stands in logs and in the names of systemd's credentials.
    if not re.fullmatch(NAME_PATTERN, value):
        raise ValueError("is no name of a token; write up to 64 letters, digits, dots, hyphens and underscores")
    return value


def _digest(value: str) -> str:
    digest = value.strip().lower()
    if not _DIGEST.fullmatch(digest):
        raise ValueError("is no SHA-256; write its 64 hexadecimal digits, as mailalert token new prints them")
    if digest == DIGEST_OF_NOTHING:
        raise ValueError("is the SHA-256 of nothing at all; make a token with mailalert token new")
    return digest


def _scopes(value: object) -> frozenset[Scope]:
    try:
        scopes = frozenset(Scope(item) for item in split_list(value))
    except ValueError:
        scopes = frozenset()
    if not scopes:
        raise ValueError(f"is no list of scopes; write some of {', '.join(Scope)}")
    return scopes


class TokenEntry(BaseModel):
    """One of `[[tokens]]`, as it is written. The token itself stands nowhere."""

    model_config = STRICT

    name: Annotated[str, AfterValidator(_name)]
    sha256: Annotated[str, AfterValidator(_digest)]
    scopes: Annotated[frozenset[Scope], PlainValidator(_scopes)] = frozenset({Scope.SEND})
    source: Name = Field(default="", max_length=MAX_SOURCE)
    rate: Annotated[Rate, PlainValidator(parse_rate)] | None = None
    allowed_recipients: Recipients = ()
    hmac_secret_file: Path | None = None


TokenTables = Annotated[tuple[TokenEntry, ...], NoDecode, tables_of("tokens")]


def hmac_secrets(entries: Sequence[TokenEntry], files: SecretFiles) -> dict[str, SecretStr]:
    """Return the secrets of those that sign, by the name of the token.

    Raises ConfigurationError if a file is of no use, or others than the daemon can read it, or the secret is short.
    """
    secrets = {}
    for entry in entries:
        file = files.find(
            f'token "{entry.name}": hmac_secret',
            given=False,
            file=entry.hmac_secret_file,
            credential=f"hmac_{entry.name}",
            read=lambda path, *, name: read_private_secret(path, name=name, by_systemd=files.hold(path)),
        )
        if file and len(file.secret) < MIN_HMAC_SECRET:
            raise ConfigurationError(
                f'token "{entry.name}": {file.path} holds fewer than {MIN_HMAC_SECRET} characters, and such a secret '
                "can be guessed; make a longer one, with: openssl rand -hex 32"
            )
        if file:
            secrets[entry.name] = SecretStr(file.secret)
    return secrets


def alike(entries: Sequence[TokenEntry], short_form: SecretStr | None) -> list[str]:
    """Return a complaint for each name and each digest that stands there twice; `short_form` is `http.token`."""
    holders = [(entry.name, entry.sha256) for entry in entries]
    if short_form is not None:
        holders.append((SHORT_FORM, sha256(short_form.get_secret_value().encode()).hexdigest()))
    by_digest: dict[str, list[str]] = {}
    for name, digest in holders:
        by_digest.setdefault(digest, []).append(f'"{name}"')
    repeated = [name for name, count in Counter(name for name, _ in holders).items() if count > 1]
    shared = [" and ".join(names) for names in by_digest.values() if len(names) > 1]
    return [
        *(f'tokens: several of them are called "{name}"; give each a name of its own' for name in repeated),
        *(f"tokens: {names} have the same sha256; make a token of its own for each" for names in shared),
    ]
