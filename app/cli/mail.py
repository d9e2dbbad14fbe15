"""`mailalert mail`: read a mail that lies in a file, without any server."""

import sys
from pathlib import Path

import click

from app.cli.ending import NO_INPUT, REFUSED, fail
from app.cli.options import dir_option, json_option, view_option

MAX_MAIL = 256 << 20  # bytes; no provider takes larger ones, and all of it is kept in memory
STDIN = "-"

file_argument = click.argument("file", metavar="FILE.eml")


@click.group()
def mail() -> None:
    """Read a mail that lies in a file, as it came over the wire; - is stdin.

    Exit codes: 64 when the command line is wrong, 66 when the file cannot be read, 74 when a file cannot be saved, 65
    for other trouble with the mail.
    """


@mail.command()
@file_argument
@view_option
@json_option
def show(*, file: str, view: str, as_json: bool) -> None:
    """Show a mail: who wrote it, when and about what, its text, and which files came with it.

    Whatever a mail holds, it cannot give orders to the terminal. --source in a pipe gives the octets as they are; in
    JSON they are base64.
    """
    from app.cli.mail_view import MailView, show_mail

    show_mail(_read(file), MailView(view), as_json=as_json)


@mail.command()
@file_argument
@dir_option
@json_option
def save(*, file: str, directory: Path, as_json: bool) -> None:
    """Save every file that came with a mail, and print where each is.

    The sender's names are used as far as they are safe: no path, nothing that is there is overwritten (a number is
    put behind the name), and nobody else may read them. In a pipe: path, type and size with tabs between them.
    """
    from app.cli.mail_saving import save_files
    from app.mail.reading.reader import read_message

    save_files(read_message(_read(file)), directory, as_json=as_json)


def _read(file: str) -> bytes:
    try:
        if file == STDIN:
            data = sys.stdin.buffer.read(MAX_MAIL + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(MAX_MAIL + 1)
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}", NO_INPUT)
    if len(data) > MAX_MAIL:
        fail(f"{file} holds more than {MAX_MAIL >> 20} MiB, which is no mail", REFUSED)
    return data
