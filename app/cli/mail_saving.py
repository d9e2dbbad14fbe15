"""The files of a mail, saved where somebody wants them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.cli.ending import DISK, fail
from app.cli.listing import show_list
from app.cli.mail_view import file_document
from app.cli.printable import printable_line
from app.cli.table import NOTHING
from app.domain.size import size_text
from app.mail.reading.message import Message
from app.mail.reading.part import Part
from app.mail.saving import save_attachment


def save_files(message: Message, directory: Path, *, as_json: bool) -> None:
    """Save every file of the mail in `directory`, made if it is not there, and print where each is.

    Nothing is overwritten, and no name leads out of the directory. Ends with 74 if the disk does not keep one.
    """
    documents: list[dict[str, Any]] = []
    fault: OSError | None = None
    try:
        if message.files:
            directory.mkdir(parents=True, exist_ok=True)
        for file in message.files:
            documents += [_saved(file, directory)]
    except OSError as error:
        fault = error
    _show(documents, as_json=as_json)
    if fault:
        missing = len(message.files) - len(documents)
        fail(f"{missing} of {len(message.files)} files could not be saved in {directory}: {fault.strerror}", DISK)


def _saved(file: Part, directory: Path) -> dict[str, Any]:
    path = save_attachment(directory, file.file_name, file.data)
    return {"path": str(path), **file_document(file)}


def _show(documents: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    show_list(
        documents,
        as_json=as_json,
        people=lambda _: [_sentence(item) for item in documents] or [NOTHING],
        programs=lambda: ("\t".join((item["path"], item["type"], str(item["size_bytes"]))) for item in documents),
    )


def _sentence(item: dict[str, Any]) -> str:
    return printable_line(f"{item['path']} ({item['type']}, {size_text(item['size_bytes'])})")
