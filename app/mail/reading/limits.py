"""How much of one mail is read: what lies beyond a limit is kept as it came, and a defect says so."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLimits:
    """The size of the whole mail is the caller's to limit; these keep a small one from costing much.

    The defaults are far above what people and programs send, and a mail at all of them is read in about a second.
    """

    max_parts: int = 1000  # a part costs about a kilobyte to remember
    max_depth: int = 100  # mails that were forwarded as they are many times over nest a dozen levels
    max_header_fields: int = 5000  # of all parts together; a long way through relays makes a hundred
    max_header_bytes: int = MIB // 2  # of all parts together; the longest that relays take are about 100 KiB
    max_field_bytes: int = MIB // 16  # a name in base64 and the addresses of a thousand people fit
    max_text_bytes: int = 2 * MIB  # of what is read as text, all parts together; the parts keep all of their data
