"""Which lines acknowledge an alert, take that back, or do neither."""

from datetime import timedelta
from unicodedata import normalize

import pytest

from app.domain.acknowledgement import AckAction
from app.mail.sorting.command_words import ACKNOWLEDGE, TAKE_BACK
from app.mail.sorting.commands import read_command
from app.mail.sorting.sorted_mail import AckCommand

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NO_END = [
    "ack", "ACK", "Ack.", "ACK!", "ack!!!", "ack,", "Ack, on it", "ack,on it", "ack; looking", "ack - on it",
    "ack – on it", "ack — on it", "ack: on it", "Ack. I will look at it.", "ok", "OK", "Ok.", "okay", "ok, thanks",
    "ok :)", "Okay!", "acknowledge", "Acknowledged", "acknowledged.", '"ack"', "“ack”", "„ack“", "*ack*", "**Ack**",
    "_ack_", "quittiert", "Bestätigt.", "bestätige, bin dran", "übernehme", "OK, ich kümmere mich", "acquitté",
    "Acquitté, je m'en occupe", "d'accord", "Pris en charge.", "enterado", "Recibido, lo miro", "vale", "确认",
    "d’accord",
    "已确认", "收到", "收到。", "收到!", "收到,马上处理", "知道了", "好的,我来看看", "確認", "收到 ", "了解",
    "了解です", "了解しました。", "確認しました、対応します", "承知しました",
]  # fmt: skip
FOR_A_TIME = {
    "ack 2h": 2 * HOUR, "ack 2 h": 2 * HOUR, "ACK 2H": 2 * HOUR, "ack2h": 2 * HOUR, "ack 30 min": 30 * MINUTE,
    "ack 30min.": 30 * MINUTE, "ack 2 days": 2 * DAY, "ack for 2 hours": 2 * HOUR, "ack, 2h": 2 * HOUR,
    "ack: 2h": 2 * HOUR, "ack - 2h": 2 * HOUR, "ack -2h": 2 * HOUR, "ack (2h)": 2 * HOUR, "ack 2h, on it": 2 * HOUR,
    "ack 2h. On it": 2 * HOUR, "ok 1d": DAY, "ack 1h30m": 90 * MINUTE, "ack 1h30": 90 * MINUTE,
    "ack 1 h 30 min": 90 * MINUTE, "ack 1.5h": 90 * MINUTE, "ack an hour": HOUR, "ack 1 week": 7 * DAY,
    "ack 90s": 90 * timedelta(seconds=1), '"ack 2h"': 2 * HOUR, "quittiert 2 Std": 2 * HOUR,
    "quittiert 2 Std.": 2 * HOUR, "bestätigt für 3 Tage": 3 * DAY, "ack 1 Tag": DAY, "ok 1,5 Stunden": 90 * MINUTE,
    "ack eine Stunde": HOUR, "ack 30 Minuten": 30 * MINUTE, "ack 1 Woche": 7 * DAY, "acquitté 2 heures": 2 * HOUR,
    "ack pour 3 jours": 3 * DAY, "ack 2 j": 2 * DAY, "ack une heure": HOUR, "enterado 2 horas": 2 * HOUR,
    "ack 1 día": DAY, "ok por 30 minutos": 30 * MINUTE, "确认 2小时": 2 * HOUR, "收到2小时": 2 * HOUR,
    "确认 30分钟": 30 * MINUTE, "收到,2个小时": 2 * HOUR, "确认两小时": 2 * HOUR, "ack 2 小时": 2 * HOUR,
    "确认半小时": 30 * MINUTE, "收到 1天": DAY, "確認 3小時": 3 * HOUR, "了解 2時間": 2 * HOUR,
    "了解しました、30分": 30 * MINUTE, "確認 1日": DAY, "ack 30d": 30 * DAY, "ack 31d": 30 * DAY,
    "ack 999999 weeks": 30 * DAY, "ack 52 weeks 999999d": 30 * DAY,
}  # fmt: skip
TAKEN_BACK = [
    "unack", "UNACK", "Unack.", "unack, I cannot get there", "unacknowledge", "un-ack", "Quittierung aufheben",
    "annuler", "anular", "取消确认", "取消确认。", "撤销确认", "確認取消", '"unack"',
]  # fmt: skip
NEITHER = [
    "", " ", "nack", "NACK!", "no ack", "I will not ack", "not ok", "acknowledging this would be wrong", "ackermann",
    "acks", "back to you", "okra", "oks", "okey-dokey", "ok-ish", "ok.example.org is down", "ok/nok",
    "ack@example.org", "ack_2h", "ack?", "ack ?", "ack!?", "ok?", "ok so what is this", "ok thanks", "ack please",
    "ack it", "ack whatever that is", "ack 2", "ack 0h", "ack 0 days", "ack 2 months", "ack 2 hooks",
    "ack 2h ago it was fine", "ack until tomorrow", "ack 1234567h", "ack acka day", "please ack", "hi, ack",
    "re: ack", "(ack)", "> ack", "| ack", "#ack", "ack2", "ackone hour", "unack 2h", "unack?", "unacked by whom",
    "unackable", "un ack", "quittung folgt", "bestätigung folgt", "okkupiert", "acquittement", "valentina",
    "nicht quittiert", "收到告警了吗", "收到了吗?", "收到?", "未确认", "没收到", "不确认", "了解できません",
    "確認できない", "确认2", '"ack 2h") to say that you see to it.',
    'Answer "ack" (or "ack 2h") to say that you see to it.', "-----Original Message-----",
    "OK, who is on call?", "Ok, why does this keep firing?", "ok, but this is not fixed, please escalate",
    "Ok - I cannot do that, somebody else please", "ack, wait no", "收到,您的邮件我会尽快回复。",
    "已收到,我会尽快给您回复!",
    "Okay. This is not my server, please remove me from this list.", "OK, I am out of office until Monday.",
    "Recibido, gracias. Estoy fuera de la oficina", "Recibido: su mensaje será atendido",
    "Acknowledged. Your ticket #1234 has been created. This is an automated message.",
    "OK, your request has been received by our helpdesk (ticket 4711).", "Bestätigt: Ihr Ticket 4711 wurde erstellt",
    "________________________________", "-- ", "On Sunday Dana wrote:", "发自我的iPhone",
]  # fmt: skip


@pytest.mark.parametrize("line", NO_END)
def test_a_word_acknowledges(line: str) -> None:
    """Alone, or clearly apart from what follows."""
    assert command_in(line) == AckCommand(AckAction.ACKNOWLEDGED)


@pytest.mark.parametrize(("line", "lasts"), FOR_A_TIME.items(), ids=FOR_A_TIME)
def test_a_duration_may_follow(line: str, lasts: timedelta) -> None:
    """In the same languages, and never beyond thirty days."""
    assert command_in(line) == AckCommand(AckAction.ACKNOWLEDGED, lasts)


@pytest.mark.parametrize("line", TAKEN_BACK)
def test_a_word_takes_it_back(line: str) -> None:
    """At once, for no time."""
    assert command_in(line) == AckCommand(AckAction.TAKEN_BACK)


@pytest.mark.parametrize("line", NEITHER)
def test_other_lines_command_nothing(line: str) -> None:
    """A person who meant it sees that nothing came of it; an alert that is silent by mistake nobody sees."""
    assert command_in(line) is None


@pytest.mark.parametrize("word", [*ACKNOWLEDGE, *TAKE_BACK])
def test_every_word_of_the_table_works(word: str) -> None:
    """As it stands there, and in capitals."""
    assert command_in(word) is not None
    assert command_in(word.upper()) == command_in(word)


@pytest.mark.parametrize("word", ACKNOWLEDGE)
def test_no_word_works_within_another(word: str) -> None:
    """Nor behind one that denies it."""
    for line in (f"{word}x", f"x{word}", f"no {word}", f"{word} and then some", f"{word}?"):
        assert command_in(line) is None, line


@pytest.mark.parametrize("line", ["ACK!", "ack 2h", "确认 30分钟", "ok,ok"])
def test_wide_characters_do(line: str) -> None:
    """As a keyboard that is set to Chinese or Japanese writes letters, digits and signs."""
    wide = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in line)
    assert command_in(wide) == command_in(line) is not None


def command_in(line: str) -> AckCommand | None:
    """Return what the line commands, as `own_lines` hands it on."""
    return read_command(" ".join(normalize("NFKC", line).split()))
