"""What text usually looks like in the charsets that mails come in: the letters of languages, and rows of ideographs.

Only what tells one charset from another is here, so the letters of ASCII are not.
"""

from collections.abc import Mapping

# The accented letters of one language each, in small letters, with a charset that it is written in. The order is that
# of how many mails are written so: of two that fit equally well the first one counts.
# fmt: off
LATIN: tuple[tuple[str, frozenset[str]], ...] = tuple((codec, frozenset(letters)) for codec, letters in (
    ("cp1252", "äöüß"),                # German
    ("cp1252", "éèàêçôùûîâëïüœæÿ"),    # French
    ("cp1252", "áéíóúñü"),             # Spanish
    ("cp1252", "áéíóúâêôãõàç"),        # Portuguese
    ("cp1252", "àèéìòù"),              # Italian
    ("cp1252", "åäöé"),                # Swedish, Finnish
    ("cp1252", "æøåé"),                # Danish, Norwegian
    ("cp1252", "ëïéèöü"),              # Dutch
    ("cp1250", "ąćęłńóśźż"),           # Polish
    ("iso8859_2", "ąćęłńóśźż"),
    ("cp1250", "áčďéěíňóřšťúůýž"),     # Czech
    ("iso8859_2", "áčďéěíňóřšťúůýž"),
    ("cp1250", "áéíóöőúüű"),           # Hungarian
    ("cp1254", "çğıöşüâîû\u0307"),     # Turkish; the dot is what lower() makes of its capital I
    ("cp1250", "áäčďéíĺľňóôŕšťúýž"),   # Slovak
    ("iso8859_2", "áäčďéíĺľňóôŕšťúýž"),
    ("cp1250", "ăâîşţ"),               # Romanian
    ("cp1250", "čćđšž"),               # Croatian
    ("cp1257", "ąčęėįšųūž"),           # Lithuanian
    ("cp1257", "āčēģīķļņšūž"),         # Latvian
    ("cp1252", "áéíóúýþæðö"),          # Icelandic
))

# Those that are words by themselves, in any of these languages.
ALONE = frozenset("àáèéíóúåæøöőů")

# The commonest letters of languages with an alphabet of their own; nine of ten letters of a text are among them.
_RUSSIAN, _UKRAINIAN = "оеаинтсрвлкдмпуыьязбгй", "оеаинтсрвлкдмпуіїєьязбгй"
_BULGARIAN = "оеаинтсрвлкдмпуъязбгйщ"
_GREEK = "αοιετσνηυρίόάέήπκλμς"
_HEBREW = "יוהלארתבמשנדחקפעצכםן"
_ARABIC = "اليمنتوربهعدسك"
_THAI = "รนกอาเงมลยวตสดท่ี้ัิหใบคุพะำไโขจผูถืปชฟ์ึซแณธษศญ็"
ALPHABETS: tuple[tuple[str, frozenset[str]], ...] = tuple((codec, frozenset(letters)) for codec, letters in (
    ("cp1251", _RUSSIAN), ("koi8_r", _RUSSIAN), ("cp1251", _UKRAINIAN), ("koi8_u", _UKRAINIAN), ("cp1251", _BULGARIAN),
    ("iso8859_5", _RUSSIAN), ("cp866", _RUSSIAN),
    ("cp1253", _GREEK), ("iso8859_7", _GREEK), ("cp1255", _HEBREW), ("cp1256", _ARABIC), ("iso8859_6", _ARABIC),
    ("cp874", _THAI),
))
# fmt: on

# What stands in texts of any language without being a letter.
SIGNS = frozenset("«»’‘“”„–—…°§€£©®ªº¿¡·№\u00a0")

# Where the common characters of double-byte charsets are: the first octets of their rows (of kana, of the hanzi and
# kanji in everyday use, of punctuation), and whether the second octet must not be ASCII.
_ROWS_OF_GB = (*range(0xA1, 0xA4), *range(0xB0, 0xD8))  # GB 2312: full-width signs, 3,755 hanzi by their sound
_ROWS_OF_KS = (*range(0xA1, 0xA4), *range(0xB0, 0xC9))  # KS X 1001: the 2,350 syllables
_ROWS_OF_BIG5 = range(0xA1, 0xC7)  # 5,401 hanzi by their strokes
_ROWS_OF_JIS = (0xA1, 0xA4, 0xA5, *range(0xB0, 0xD0))  # JIS X 0208: signs, kana, 2,965 kanji by their sound
_ROWS_OF_SHIFT_JIS = (*range(0x81, 0x84), *range(0x88, 0x98))  # the same ones
ROWS: Mapping[str, tuple[frozenset[int], bool]] = {
    "cp949": (frozenset(_ROWS_OF_KS), True),
    "gb18030": (frozenset(_ROWS_OF_GB), True),
    "euc_jp": (frozenset(_ROWS_OF_JIS), True),
    "cp932": (frozenset(_ROWS_OF_SHIFT_JIS), False),
    "big5": (frozenset(_ROWS_OF_BIG5), False),
}
# Two of three syllables of a Korean text are among these.
SYLLABLES = frozenset(
    "이다는에의가을를은고하지니서사로도기한인시어습합보자대스안해부리정수제나일그전아과있게라상주구장여비성들원으만요"
    "세면드신오까선중공회소우조유연방단생되동관분개용행위발결체통현화설재경백무년월확업문디크실패답응버었했"
)
