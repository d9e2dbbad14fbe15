"""`[[tokens]]`, and the files of what they sign with."""

import json
import os
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from app.domain.access import Scope
from app.domain.errors import ConfigurationError
from app.domain.rate import Rate
from app.settings.load import load_settings
from app.settings.model import Settings
from tests.support.requirements import require_root

CANARY = "canary-8f3a-of-these-tests"
DIGEST = sha256(b"t0ken").hexdigest()
OTHER = sha256(b"other").hexdigest()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load(*tables: dict[str, Any], **environ: str) -> Settings:
    tokens = {"MAILALERT_TOKENS": json.dumps(tables)} if tables else {}
    return load_settings(config=None, sandbox=True, environ=tokens | environ)


def complaint(*tables: dict[str, Any], **environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(*tables, **environ)
    return str(caught.value)


def table(**columns: Any) -> dict[str, Any]:
    return {"name": "a", "sha256": DIGEST, **columns}


def secret_file(mode: int = 0o600, text: str = CANARY) -> Path:
    file = Path("secret")
    file.write_text(text)
    file.chmod(mode)
    return file


def test_a_token_may_send_and_nothing_else() -> None:
    """Who is given a token and no scopes can do what most senders need."""
    (entry,) = load(table()).tokens
    assert (entry.scopes, entry.source, entry.rate, entry.allowed_recipients) == (frozenset({Scope.SEND}), "", None, ())


def test_everything_can_be_set() -> None:
    """A token says what it opens, for whom, how often, and whom it may write to."""
    (entry,) = load(
        table(
            scopes="send, manage",
            source="grafana",
            rate="10/s",
            allowed_recipients=["Ops <Ops@example.org>", "@bücher.example", "example.net"],
            sha256=DIGEST.upper(),
        )
    ).tokens
    assert entry.scopes == {Scope.SEND, Scope.MANAGE}
    assert (entry.sha256, entry.source, entry.rate) == (DIGEST, "grafana", Rate(10, timedelta(seconds=1)))
    assert entry.allowed_recipients == ("Ops@example.org", "xn--bcher-kva.example", "example.net")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no digest": ({"name": "a"}, "tokens.sha256 in table 1: is missing (set sha256 below [[tokens]]"),
    "no name": ({"sha256": DIGEST}, "tokens.name in table 1: is missing"),
    "bad name": (
        table(name="a/b"),
        "tokens.name in table 1: is no name of a token; write up to 64 letters, digits, dots, hyphens and underscores",
    ),
    "the token itself": (table(sha256=CANARY), "tokens.sha256 in table 1: is no SHA-256"),
    "nothing": (table(sha256=sha256(b"").hexdigest()), "tokens.sha256 in table 1: is the SHA-256 of nothing"),
    "unknown scope": (table(scopes=["write"]), "tokens.scopes in table 1: is no list of scopes; write some of send"),
    "no scope": (table(scopes=[]), "tokens.scopes in table 1: is no list of scopes"),
    "bad rate": (table(rate="often"), "tokens.rate in table 1: is no rate"),
    "bad recipient": (table(allowed_recipients="*"), "'*' is no mail address and no domain"),
    "unknown key": (table(scope="send"), "tokens.scope: no such setting in table 1; did you mean tokens.scopes?"),
    "a secret by itself": (table(hmac_secret=CANARY), "tokens.hmac_secret: no such setting in table 1"),
}


@pytest.mark.parametrize(("wrong", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told(wrong: dict[str, Any], said: str) -> None:
    """The complaint names the setting, and never repeats what may be a secret."""
    told = complaint(wrong)
    assert said in told
    assert CANARY not in told


def test_no_array_is_refused() -> None:
    """Neither is it repeated."""
    told = complaint(MAILALERT_TOKENS=f'["{CANARY}"')
    assert "tokens: is no array of tables; write [[tokens]] in the file" in told
    assert CANARY not in told


@pytest.mark.parametrize(
    ("tables", "token", "said"),
    [
        ([table(), table(sha256=OTHER)], "", 'several of them are called "a"'),
        ([table(), table(name="b")], "", '"a" and "b" have the same sha256'),
        ([table(name="http.token")], "more", 'several of them are called "http.token"'),
        ([table()], "t0ken", '"a" and "http.token" have the same sha256'),
    ],
    ids=["name", "digest", "name of the short form", "token of the short form"],
)
def test_no_two_are_alike(tables: list[dict[str, Any]], token: str, said: str) -> None:
    """Logs, rates and keys of idempotency belong to one token."""
    assert said in complaint(*tables, **({"MAILALERT_HTTP__TOKEN": token} if token else {}))


def test_an_open_host_needs_one_token_of_any_kind() -> None:
    """One of the tables will do; without any the remedy names both."""
    everywhere = {"MAILALERT_HTTP__HOST": "0.0.0.0"}
    assert load(table(), **everywhere).http.host == "0.0.0.0"
    assert "or give tokens" in complaint(**everywhere)


def test_the_short_form_has_recipients_too() -> None:
    """http.allowed_recipients is a list in the environment like any other."""
    settings = load(MAILALERT_HTTP__ALLOWED_RECIPIENTS="ops@example.org; example.net")
    assert settings.http.allowed_recipients == ("ops@example.org", "example.net")


def test_a_secret_comes_from_its_file() -> None:
    """The logs are told what to blot out."""
    settings = load(table(hmac_secret_file=str(secret_file())), table(name="b", sha256=OTHER))
    assert settings.hmac_secrets["a"].get_secret_value() == CANARY
    assert list(settings.hmac_secrets) == ["a"]
    assert settings.secrets() == (CANARY,)
    assert CANARY not in repr(settings)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o444, 0o777], ids=oct)
def test_a_secret_that_others_could_read_or_change_is_refused(mode: int) -> None:
    """Neither group nor others may have anything to do with it."""
    told = complaint(table(hmac_secret_file=str(secret_file(mode))))
    assert (
        f'token "a": hmac_secret_file: secret can be read or written by others (mode 0{mode:o}); chmod 600 it' in told
    )


@pytest.mark.parametrize("mode", [0o600, 0o400], ids=oct)
def test_a_private_secret_is_taken(mode: int) -> None:
    """The daemon may be able to write it or not."""
    assert load(table(hmac_secret_file=str(secret_file(mode)))).hmac_secrets


def test_a_secret_of_another_user_is_refused() -> None:
    """Its owner could put another one there."""
    require_root()  # nobody else can give a file away
    file = secret_file()
    os.chown(file, 65534, 65534)
    assert "belongs to another user" in complaint(table(hmac_secret_file=str(file)))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: file.mkdir(), "cannot be read"),
        (lambda file: os.mkfifo(file, 0o600), "is no regular file"),
        (lambda file: None, "cannot be read (No such file or directory)"),
    ],
    ids=["folder", "pipe", "nothing"],
)
def test_only_a_file_is_read(make: Any, said: str) -> None:
    """A pipe does not hold up the start."""
    make(Path("secret"))
    assert said in complaint(table(hmac_secret_file="secret"))


def test_a_secret_is_one_line() -> None:
    """The complaint does not repeat it."""
    told = complaint(table(hmac_secret_file=str(secret_file(text=f"{CANARY}\n{CANARY}\n"))))
    assert "holds more than one line" in told
    assert CANARY not in told


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    """Whoever overhears one signed body can try out short secrets by the million; the complaint repeats none."""
    told = complaint(table(hmac_secret_file=str(secret_file(text=CANARY[:15]))))
    assert 'token "a": secret holds fewer than 16 characters' in told
    assert CANARY[:15] not in told
    assert load(table(hmac_secret_file=str(secret_file(text=CANARY[:16])))).hmac_secrets


@pytest.mark.parametrize(("mode", "is_taken"), [(0o440, True), (0o400, True), (0o444, False), (0o460, False)], ids=str)
def test_systemds_credential_is_taken(mode: int, is_taken: bool) -> None:
    """systemd makes them 0440, of root, in a folder that only the unit can enter."""
    Path("credentials").mkdir()
    secret_file(mode).rename("credentials/hmac_a")
    environ = {"CREDENTIALS_DIRECTORY": "credentials"}
    if is_taken:
        assert load(table(), **environ).hmac_secrets["a"].get_secret_value() == CANARY
    else:
        assert "the systemd credential hmac_a: credentials/hmac_a can be read" in complaint(table(), **environ)
