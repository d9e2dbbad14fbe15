"""The first line of an answer: status, response code and text."""

import pytest

from app.domain.mailbox_session import Trouble
from app.protocols.pop3.reply import MAX_TEXT, Pop3Reply, Status, parse_status
from app.protocols.pop3.trouble import trouble_of

OK, ERR, MORE = Status


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"+OK", Pop3Reply(OK)),
        (b"+OK 2 320", Pop3Reply(OK, "2 320")),
        (b"-ERR  no", Pop3Reply(ERR, "no")),
        (b"+ ", Pop3Reply(MORE)),
        (b"+", Pop3Reply(MORE)),
        (b"+ Zm9v", Pop3Reply(MORE, "Zm9v")),
        (b"-ERR [IN-USE] Do you have another session?", Pop3Reply(ERR, "Do you have another session?", "IN-USE")),
        (b"-ERR [sys/temp] later", Pop3Reply(ERR, "later", "SYS/TEMP")),
        (b"-ERR [LOGIN-DELAY 300] later", Pop3Reply(ERR, "later", "LOGIN-DELAY")),
        (b"-ERR [AUTH]", Pop3Reply(ERR, "", "AUTH")),
        (b"-ERR [", Pop3Reply(ERR, "[")),
        (b"-ERR [!] x", Pop3Reply(ERR, "[!] x")),
        ("-ERR weg: gelöscht".encode(), Pop3Reply(ERR, "weg: gelöscht")),
        (b"-ERR gel\xf6scht\x00\x1b[1m", Pop3Reply(ERR, "gel\\xf6scht [1m")),
    ],
)
def test_a_first_line(line: bytes, reply: Pop3Reply) -> None:
    """Any first line becomes a status, a code and one readable line."""
    assert parse_status(line) == reply


def test_an_answer_in_words() -> None:
    """What a server says is shown in bounded length, or its code, or that it says nothing."""
    texts = [Pop3Reply(ERR, "x" * 9999), Pop3Reply(ERR, "", "AUTH"), Pop3Reply(ERR)]
    assert [len(texts[0].words()), texts[1].words(), texts[2].words()] == [MAX_TEXT, "AUTH", "nothing more"]
    assert [str(Pop3Reply(ERR, "no", "AUTH")), str(Pop3Reply(OK))] == ["-ERR [AUTH] no", "+OK"]


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        (b"-ERR [IN-USE] x", Trouble.IN_USE),
        (b"-ERR [LOGIN-DELAY] x", Trouble.BUSY),
        (b"-ERR [SYS/TEMP] x", Trouble.BUSY),
        (b"-ERR [SYS/PERM] x", Trouble.CONFIGURATION),
        (b"-ERR [AUTH] x", Trouble.LOGIN),
        (b"-ERR [UTF8] x", Trouble.PROTOCOL),
        (b"-ERR maildrop already locked", Trouble.IN_USE),
        (b"-ERR unable to lock maildrop", Trouble.IN_USE),
        (b"-ERR Your mailbox is in use by another session", Trouble.IN_USE),
        (b"-ERR your account is locked", Trouble.PROTOCOL),
        (b"-ERR [AUTH] mailbox locked", Trouble.LOGIN),
        (b"-ERR", Trouble.PROTOCOL),
    ],
)
def test_what_a_refusal_means(line: bytes, trouble: Trouble) -> None:
    """A response code tells the kind of trouble, else the words of RFC 1939 for a lock, else what was asked."""
    reply = parse_status(line)
    assert reply is not None
    assert trouble_of(reply, otherwise=Trouble.PROTOCOL) is trouble
