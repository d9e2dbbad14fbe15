"""Coverage-guided fuzzing of the reading side, from octets to what a mail is: `make fuzz SECONDS=60`.

    python -m tests.fuzz.mime_reader -max_total_time=60
    python -m tests.fuzz.mime_reader .fuzz/mime_reader/crash-…          runs one input again

Nothing raises or takes longer than a few seconds. Of an input in three pieces, parted by AGAIN, the middle one is
repeated as often as SIZE holds it, so that what grows faster than its input shows.
"""

import atheris

with atheris.instrument_imports(include=["app"]):
    from app.mail.message_id import MessageIds
    from app.mail.reading.html_text import html_to_text
    from app.mail.reading.reader import read_message
    from app.mail.saving import MAX_NAME, safe_name
    from app.mail.sorting.sorter import MailSorter
from tests.fuzz.fuzzer import fuzz
from tests.fuzz.mail_words import REPEATED, WORDS, samples
from tests.support.mail_corpus import corpus

AGAIN = b"\0*\0"
# Instrumented code takes four times as long, and a busy machine may hold it up for a second or two. What grows with the
# square takes minutes over an eighth of a megabyte.
SIZE = 128 * 1024
LIMITS = ("-timeout=5", "-rss_limit_mb=1024", "-max_len=4096")  # seconds for one input; most samples are shorter
SORTER = MailSorter(MessageIds(b"k" * 32))


def one_input(data: bytes) -> None:
    """Read, sort and show one mail, and name its files."""
    octets = repeated(data)
    mail = read_message(octets)
    texts = (mail.subject, mail.text, mail.html, mail.message_id, *(part.file_name for part in mail.files))
    assert all(text.encode() is not None for text in texts)
    for part in mail.files:
        name = safe_name(part.file_name)
        assert 0 < len(name.encode()) <= MAX_NAME
        assert not {"/", "\\", "\0"} & set(name)
    html_to_text(mail.html)
    SORTER.sort(mail, octets)


def repeated(data: bytes) -> bytes:
    """Return the input, its middle piece repeated if it has one."""
    head, found, rest = data.partition(AGAIN)
    piece, ended, tail = rest.partition(AGAIN)
    if not (found and ended and piece):
        return data
    return head + piece * ((SIZE - len(head) - len(tail)) // len(piece)) + tail


def seeds() -> list[bytes]:
    """Return the samples, mails of the corpus, and a few that repeat themselves, for each of these takes long."""
    return [*samples(), *(mail.octets for mail in corpus()[::3]), *(AGAIN.join(pieces) for pieces in REPEATED)]


if __name__ == "__main__":
    fuzz(one_input, name="mime_reader", limits=LIMITS, seeds=seeds(), words=WORDS)
