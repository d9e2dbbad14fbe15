"""Files on the command line: what cannot be attached is told, and costs nothing else."""

import os
from base64 import b64decode
from pathlib import Path

from app.cli.attaching import attachment, read_attachments


def test_files_are_read_in_order(tmp_path: Path) -> None:
    """By their names without the path, in base64."""
    for name in ("b.bin", "a.txt"):
        (tmp_path / name).write_bytes(name.encode() + b"\xff")
    files = read_attachments([str(tmp_path / "b.bin"), str(tmp_path / "a.txt")])
    found = [(file["name"], b64decode(file["content"])) for file in files.documents]
    assert (found, files.troubles) == ([("b.bin", b"b.bin\xff"), ("a.txt", b"a.txt\xff")], ())


def test_what_is_too_much_is_left_out(tmp_path: Path) -> None:
    """The limit is for all together, and a smaller one after it still goes."""
    for name, size in (("a", 6), ("b", 5), ("c", 4)):
        (tmp_path / name).write_bytes(b"x" * size)
    files = read_attachments([str(tmp_path / name) for name in "abc"], limit=10)
    assert [file["name"] for file in files.documents] == ["a", "c"]
    assert [trouble.partition(" ")[0] for trouble in files.troubles] == [str(tmp_path / "b")]


def test_only_files_are_attached(tmp_path: Path) -> None:
    """Missing ones, directories and named pipes are told; none is waited for."""
    os.mkfifo(tmp_path / "pipe")
    files = read_attachments([str(tmp_path / "gone"), str(tmp_path), str(tmp_path / "pipe")])
    assert (len(files.documents), len(files.troubles)) == (0, 3)


def test_a_type_may_be_told() -> None:
    """Without one the daemon goes by the name."""
    assert attachment("x", b"", content_type="text/plain")["content_type"] == "text/plain"
    assert "content_type" not in attachment("x", b"")
