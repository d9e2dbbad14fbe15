"""`mailalert token`: make tokens, which the daemon keeps as digests only."""

import re
import secrets
from hashlib import sha256

import click

from app.cli.ending import USAGE, fail

PREFIX = "ma_"  # tells people, and programs that look for leaked secrets, what it is
TOKEN_BYTES = 32  # 256 random bits: nobody guesses them, so a plain SHA-256 is enough to keep
SCOPES = ("send", "read", "manage")
NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"  # as the settings have it


@click.group()
def token() -> None:
    """Make tokens for those who post alerts."""


@token.command("new")
@click.option("--name", default="new", show_default=True, help="What the daemon's logs call it.")
@click.option(
    "--scope", "scopes", type=click.Choice(SCOPES), multiple=True, help="What it opens; may be given again; else send."
)
@click.option("--quiet", is_flag=True, help="Print the token alone.")
def new_token(*, name: str, scopes: tuple[str, ...], quiet: bool) -> None:
    """Print a new token, once, and the lines that make the daemon know it.

    The daemon's settings hold its digest alone, so nobody can read the token there. Put it where its user can read
    it, such as ~/.config/mailalert/token for `mailalert send`.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        fail(f"--name {name}: use up to 64 letters, digits, and . _ -, first a letter or a digit", USAGE)
    made = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    print(made)
    if not quiet:
        print("\n# The token stands above; it is shown only now. These lines go into mailalert.toml:", end="\n\n")
        print(settings_table(made, name=name, scopes=scopes or ("send",)))


def settings_table(made: str, *, name: str, scopes: tuple[str, ...]) -> str:
    """Return the table of the settings for a token that was just made."""
    quoted = ", ".join(f'"{scope}"' for scope in dict.fromkeys(scopes))
    return "\n".join(
        (
            "[[tokens]]",
            f'name = "{name}"',
            f'sha256 = "{sha256(made.encode()).hexdigest()}"',
            f"scopes = [{quoted}]",
        )
    )
