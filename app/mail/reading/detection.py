"""Which charset octets are in that nobody declared: by what text in each usually looks like. Never raises.

charset-normalizer needs a paragraph: of 201 subjects in 19 charsets it alone reads 90 as they were written ("Año" as
Chinese, for one). So a table of what people write comes first, which is sound for a few words: 193 of these. What fits
none of it well is for charset-normalizer, which knows more charsets.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from app.domain.charset import CODECS, codec_of
from app.mail.reading.writing_systems import ALONE, ALPHABETS, LATIN, ROWS, SIGNS, SYLLABLES

MAX_SAMPLE = 1024  # octets; they take 6 ms at worst, and more tell no more
_BEFORE = 64  # octets of ASCII before the first other one: the word that it stands in
_SURE = 0.85  # of all characters that are not ASCII are usual ones, as in nearly any sentence in its charset
_PLAUSIBLE = 0.6  # of them in a few words are; in a wrong charset hardly half of them
_LIKELY = 0.3  # the same, where something speaks for the charset: also of a language that the table does not know
_PARAGRAPH = 24  # octets that are not ASCII; of fewer charset-normalizer makes anything
_MAX_ACCENTS = 4  # in a row: Polish "żółć"; words of nothing else are of another alphabet

_HIGH = re.compile(rb"[\x80-\xff]")
_WORD = re.compile(r"[^\W\d_]+")
_FOREIGN_RUN = re.compile(r"[^\x00-\x7f]+")
_KANA = re.compile("[ぁ-ヶ]")
_SYLLABLE = re.compile("[가-힣]")
# UTF-8 has been tried by now, and the others are told by their own signs.
_ASKED_FOR = sorted(codec for codec in CODECS if not codec.startswith(("utf", "hz", "iso2022", "tis")))


def sample_of(pieces: Iterable[bytes]) -> bytes:
    """Return the lines that are not ASCII, in at most MAX_SAMPLE octets: the others tell nothing."""
    sample = bytearray()
    for piece in pieces:
        position = 0
        while len(sample) < MAX_SAMPLE and (found := _HIGH.search(piece, position)):
            start = max(piece.rfind(b"\n", position, found.start()) + 1, position, found.start() - _BEFORE)
            end = piece.find(b"\n", found.start())
            position = end + 1 if end >= 0 else len(piece)
            sample += piece[start : min(position, start + MAX_SAMPLE - len(sample))].rstrip(b"\n") + b"\n"
    return bytes(sample[:MAX_SAMPLE])


def detect(sample: bytes, likely: str = "") -> str:
    """Return the codec that reads the sample, "" if there is no telling. `likely` is taken wherever it may be right."""
    if sample.isascii():
        return ""
    scores = list(_scores(sample))
    share = max((score for codec, score in scores if codec == likely), default=1.0)
    if likely and share >= _LIKELY and _decoded(sample, likely) is not None:
        return likely
    codec, score = _best(scores)
    if score >= _SURE:
        return codec
    return _asked(sample) or (codec if score >= _PLAUSIBLE else "")


def sure_codec(sample: bytes) -> str:
    """Return the codec that the sample is sure to be in, whatever it declares; "" if there is none."""
    codec, score = ("", 0.0) if sample.isascii() else _best(list(_scores(sample)))
    return codec if score >= _SURE else ""


def _best(scores: Sequence[tuple[str, float]]) -> tuple[str, float]:
    return max(scores, key=lambda entry: entry[1], default=("", 0.0))  # the first one of the best


def _scores(sample: bytes) -> Iterator[tuple[str, float]]:
    """Yield codecs with the share of the characters that are usual in them, the more common ones first."""
    texts: dict[str, str | None] = {}
    for codec, share in _LOOKS:
        if codec not in texts:
            texts[codec] = _decoded(sample, codec)
        if (text := texts[codec]) is not None:
            yield codec, share(text)


def _decoded(sample: bytes, codec: str) -> str | None:
    try:
        # A sample that was cut may end within a character.
        return getincrementaldecoder(codec)().decode(sample, final=len(sample) < MAX_SAMPLE)
    except UnicodeError:
        return None


def _share_of_accents(text: str, letters: frozenset[str]) -> float:
    """Of Latin: accents stand within words of ASCII, a few in a row at most, and they are all of one language."""
    usual = total = 0
    for word in _WORD.findall(text):
        if word.isascii():
            continue
        accents = "".join(_FOREIGN_RUN.findall(word.lower()))
        total += len(accents)
        is_mixed = len(accents) < len(word) or word.lower() in ALONE
        if is_mixed and _is_regular(word) and max(map(len, _FOREIGN_RUN.findall(word))) <= _MAX_ACCENTS:
            usual += sum(letter in letters for letter in accents)
    signs = _signs(text)
    # A text of nothing but quotation marks is in no language: what all charsets of this family have is right.
    usual += sum(sign in SIGNS for sign in signs)
    return usual / max(total + len(signs), 1)


def _share_of_letters(text: str, letters: frozenset[str]) -> float:
    """Of another alphabet: its words have no letter of ASCII, and most of them are of the commonest letters."""
    usual = total = 0
    for word in _WORD.findall(text):
        foreign = "".join(_FOREIGN_RUN.findall(word))
        total += len(foreign)
        if foreign == word and _is_regular(word):
            usual += sum(letter in letters for letter in word.lower())
    signs = _signs(text)
    usual += sum(sign in SIGNS or sign in letters for sign in signs)  # the vowels of Thai are no letters to Unicode
    return usual / max(total + len(signs), 1)


def _share_of_rows(text: str, codec: str) -> float:
    """Of ideographs: most of them are in the rows of the common ones."""
    rows, is_high = ROWS[codec]
    foreign = "".join(_FOREIGN_RUN.findall(text))
    octets = (character.encode(codec) for character in foreign)
    usual = sum(len(pair) == 2 and pair[0] in rows and not (is_high and pair[1] < 0xA1) for pair in octets)
    share = usual / max(len(foreign), 1)
    if codec == "cp949":  # nearly all of it is Chinese too, but of rare syllables then
        syllables = _SYLLABLE.findall(text)
        common = sum(syllable in SYLLABLES for syllable in syllables)
        return share if common > 1 and common >= 0.4 * len(syllables) else 0.0
    return share if codec not in {"euc_jp", "cp932"} or _KANA.search(text) else 0.9 * share


def _is_regular(word: str) -> bool:
    """Whether no capital follows a small letter."""
    return len(word) == 1 or word[1:].islower() or word.isupper() or word.lower() == word.upper()


def _signs(text: str) -> list[str]:
    return [character for character in text if not character.isascii() and not character.isalpha()]


def _asked(sample: bytes) -> str:
    """Return what charset-normalizer takes the sample for, "" for nothing."""
    if len(_HIGH.findall(sample)) < _PARAGRAPH:
        return ""
    from charset_normalizer import from_bytes  # late: it takes 40 ms, and most mails declare their charset

    found = from_bytes(sample, cp_isolation=_ASKED_FOR, enable_fallback=False, preemptive_behaviour=False).best()
    return (codec_of(found.encoding) or "") if found else ""


# In the order of how likely a text is: of two charsets that it fits equally well the first one counts.
_LOOKS: tuple[tuple[str, Callable[[str], float]], ...] = (
    *((codec, partial(_share_of_accents, letters=letters)) for codec, letters in LATIN),
    *((codec, partial(_share_of_rows, codec=codec)) for codec in ("cp949", "gb18030")),
    *((codec, partial(_share_of_letters, letters=letters)) for codec, letters in ALPHABETS),
    *((codec, partial(_share_of_rows, codec=codec)) for codec in ("euc_jp", "cp932", "big5")),
)
