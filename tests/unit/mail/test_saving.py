"""Attachments saved: whatever their names are, they become new files where they were meant to be."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail.saving import MAX_NAME, safe_name, save_attachment

# fmt: off
PIECES = st.sampled_from([
    "..", ".", "/", "\\", "C:", ":", "con", "NUL", "com1", "LPT¹", "-", " ", "\0", "\r\n", "\u202e", "\u200b", "\ud800",
    "a", ".txt", ".tar", ".gz", "測", "~", "*", "é", "\u3000", "x" * 250,
])
# fmt: on
NAMES = st.text(max_size=300) | st.lists(PIECES, max_size=12).map("".join)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Отчёт за 2024 год.xlsx", "Отчёт за 2024 год.xlsx"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\me\report.pdf", "report.pdf"),
        ("C:report.pdf", "report.pdf"),
        ("reports/", "reports"),
        ("report.pdf:hidden", "report.pdf_hidden"),
        (".bashrc", "bashrc"),
        ("..", "attachment"),
        ("a/..", "a"),
        ("report.pdf. . ", "report.pdf"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("LPT² .txt", "_LPT² .txt"),
        ("console.txt", "console.txt"),
        ("con" + " " * 300 + "x.txt", "_con.txt"),
        ("--checkpoint-action=exec", "_--checkpoint-action=exec"),
        ("a\r\nb\0c\x1b[2J.txt", "a b c [2J.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ('a<b>"c"|d?*.txt', "a_b__c__d__.txt"),
        ("\ud800.txt", "\ufffd.txt"),
        ("", "attachment"),
        (" \t", "attachment"),
    ],
    ids=lambda text: ascii(text[:30]),
)
def test_a_name_is_safe_in_any_directory(name: str, safe: str) -> None:
    """What a person reads stays; what a system would take for something else does not."""
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a" * 300 + ".pdf", ".pdf"), ("测" * 300 + ".tar.gz", ".tar.gz"), ("a." + "b" * 300, "b")],
    ids=["ascii", "hanzi", "no suffix"],
)
def test_a_long_name_keeps_its_suffix(name: str, suffix: str) -> None:
    """It is cut before the suffix, between characters, and fills the room that there is."""
    safe = safe_name(name)
    assert safe.endswith(suffix)
    assert MAX_NAME - 3 < len(safe.encode()) <= MAX_NAME


@given(name=NAMES)
def test_a_safe_name_is_safe_already(name: str) -> None:
    """Nothing is done to it a second time, so it may be asked for anywhere."""
    safe = safe_name(name)
    assert safe_name(safe) == safe


@given(name=NAMES)
def test_whatever_the_name_the_file_lies_in_the_directory(name: str) -> None:
    """Every name makes one new file there, with the octets of the attachment."""
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        paths = [save_attachment(directory, name, octets) for octets in (b"first", b"second")]
        assert sorted(directory.iterdir()) == sorted(paths)
        assert [path.read_bytes() for path in paths] == [b"first", b"second"]
        assert all(path.parent == directory and path.is_file() for path in paths)


def test_names_that_are_taken_are_numbered(tmp_path: Path) -> None:
    """The number stands before the suffix, and nothing that was there is touched."""
    (tmp_path / "report.pdf").write_bytes(b"mine")
    names = [save_attachment(tmp_path, "report.pdf", b"new").name for _ in range(2)]
    names += [save_attachment(tmp_path, "logs.tar.gz", b"new").name for _ in range(2)]
    assert names == ["report (2).pdf", "report (3).pdf", "logs.tar.gz", "logs (2).tar.gz"]
    assert (tmp_path / "report.pdf").read_bytes() == b"mine"


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    """Be it dangling or not, what it leads to stays as it is."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "report.pdf").symlink_to(tmp_path / "outside" / "stolen")
    assert save_attachment(tmp_path / "inside", "report.pdf", b"new").name == "report (2).pdf"
    assert list((tmp_path / "outside").iterdir()) == []


def test_those_who_write_at_once_get_a_file_each(tmp_path: Path) -> None:
    """Twenty attachments of one name become twenty files, none of them lost."""
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda n: save_attachment(tmp_path, "a.txt", b"%d" % n), range(20)))
    assert len(set(paths)) == 20
    assert [path.read_bytes() for path in paths] == [b"%d" % n for n in range(20)]


def test_only_its_owner_may_read_a_saved_file(tmp_path: Path) -> None:
    """A mail is for its recipients alone, wherever they save it."""
    assert save_attachment(tmp_path, "a.txt", b"").stat().st_mode & 0o777 == 0o600


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """None is made, because the name may be a slip."""
    with pytest.raises(FileNotFoundError):
        save_attachment(tmp_path / "missing", "a.txt", b"")
