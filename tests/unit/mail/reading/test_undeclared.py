"""Text that declares no charset: which one it is in is told by how text looks, and by the rest of the mail."""

import subprocess
import sys
from base64 import b64encode

import pytest

from app.mail.reading.charsets import NO_CHARSET, UNDECODABLE, WRONG_CHARSET
from app.mail.reading.detection import MAX_SAMPLE, detect, sample_of
from app.mail.reading.reader import read_message

CYRILLIC = ["koi8_r", "cp1251", "iso8859_5", "cp866"]
CENTRAL_EUROPEAN = ["cp1250", "iso8859_2"]
# A sentence, and the shortest beginning of it (in characters) from which on every longer one is told too.
# fmt: off
SENTENCES = [
    ("Russian", CYRILLIC, 8, "Нет связи с узлом web1, проверьте, пожалуйста, кабель и питание."),
    ("Ukrainian", ["koi8_u", "cp1251"], 8, "Сервер не відповідає, перевірте його та з'єднання з ним."),
    ("Bulgarian", ["cp1251"], 8, "Сървърът не отговаря от тази сутрин."),
    ("Greek", ["cp1253", "iso8859_7"], 12, "Ο διακομιστής δεν αποκρίνεται, ελέγξτε το δίκτυο."),
    ("Japanese", ["cp932", "euc_jp"], 5, "サーバーが応答しません。至急ご確認ください。"),
    ("Japanese, courteous", ["cp932", "euc_jp"], 5, "お世話になっております。先週の報告書をお送りします。"),
    ("Korean", ["cp949"], 5, "서버가 응답하지 않습니다. 확인 부탁드립니다."),
    ("traditional Chinese", ["big5"], 5, "伺服器沒有回應，請檢查連線。"),
    ("simplified Chinese", ["gb18030"], 1, "服务器没有响应，请检查连接。"),
    ("German", ["cp1252", "iso8859_15"], 1, "Größe überschritten: bitte prüfen Sie das Gerät."),
    ("French", ["cp1252"], 1, "Où êtes-vous ? Réunion déplacée à jeudi, à l’école."),
    ("Spanish", ["cp1252"], 1, "Año nuevo: ¿qué tal? El servidor no responde, revise la conexión."),
    ("Portuguese", ["cp1252"], 1, "Não há espaço em disco; reunião amanhã às três."),
    ("Italian", ["cp1252"], 1, "Perché la città non è più raggiungibile?"),
    ("Swedish", ["cp1252"], 1, "Åsa, hårddisken är full på Öland."),
    ("Danish", ["cp1252"], 1, "Søren, blåbærgrød er løbet tør."),
    ("Polish", CENTRAL_EUROPEAN, 12, "Błąd dysku, sprawdź połączenie: zażółć gęślą jaźń."),
    ("Czech", CENTRAL_EUROPEAN, 8, "Server neodpovídá, zkontrolujte připojení. Příště již přesněji."),
    ("Hungarian", CENTRAL_EUROPEAN, 25, "Üdvözlettel, őszintén: a gép túl meleg, hűtőt kérjük."),
    ("Turkish", ["cp1254"], 30, "Sunucu yanıt vermiyor, bağlantıyı lütfen denetleyin."),
    ("Hebrew", ["cp1255"], 25, "השרת אינו מגיב, בדקו את החיבור לרשת ואת החשמל."),
    ("Arabic", ["cp1256"], 10, "الخادم لا يستجيب، يرجى التحقق من الاتصال."),
    ("Thai", ["cp874"], 6, "เซิร์ฟเวอร์ไม่ตอบสนอง กรุณาตรวจสอบ"),
    ("Lithuanian", ["cp1257"], 46, "Sveiki, siunčiu praėjusios savaitės serverių ataskaitą."),
]
# What only charset-normalizer knows, in paragraphs.
PARAGRAPHS = [
    ("mac_roman", "Bonjour, vous trouverez ici le rapport sur l’état des serveurs. À bientôt, l'équipe dédiée. " * 4),
    ("cp437", "Sehr geehrte Damen und Herren, anbei der Bericht über die Geräte. Mit freundlichen Grüßen. " * 8),
    ("cp852", "Dzień dobry, przesyłam raport o stanie serwerów z zeszłego tygodnia. Z poważaniem, zespół. " * 4),
    ("johab", "안녕하세요. 지난주 서버 상태에 대한 보고서를 보내 드립니다. 확인 부탁드립니다. " * 4),
]
# fmt: on
CASES = [
    pytest.param(codec, shortest, text, id=f"{name} {codec}")
    for name, codecs, shortest, text in SENTENCES
    for codec in codecs
]


@pytest.mark.parametrize(("codec", "shortest", "sentence"), CASES)
def test_sentences_are_told(codec: str, shortest: int, sentence: str) -> None:
    """However short it is cut, from some length on a sentence is read as it was written; cp1252 is what is left."""
    for length in range(shortest, len(sentence) + 1):
        octets = sentence[:length].encode(codec)
        if not octets.isascii():
            assert octets.decode(detect(sample_of([octets])) or "cp1252") == sentence[:length]


@pytest.mark.parametrize(("codec", "shortest", "sentence"), CASES)
def test_a_mail_that_declares_nothing(codec: str, shortest: int, sentence: str) -> None:
    """Its subject, its names and its text are read, and a defect says that the charset was guessed."""
    octets = sentence.encode(codec)
    mail = read_message(
        b'Subject: %b\r\nFrom: "%b" <a@b.c>\r\nContent-Transfer-Encoding: base64\r\n\r\n%b'
        % (octets, octets, b64encode(octets))
    )
    assert mail.sender is not None
    assert (mail.subject, mail.sender.name, mail.text) == (sentence, sentence, sentence)
    assert mail.defects == (NO_CHARSET,)


@pytest.mark.parametrize(("codec", "paragraph"), PARAGRAPHS, ids=[codec for codec, _ in PARAGRAPHS])
def test_rare_charsets_need_a_paragraph(codec: str, paragraph: str) -> None:
    """What the table does not know is told by charset-normalizer."""
    octets = paragraph.encode(codec)
    assert octets.decode(detect(sample_of([octets]))) == paragraph


def test_a_text_says_what_its_header_is_in() -> None:
    """One word is too short to tell, but a part of the mail declares its charset."""
    mail = read_message(
        "Subject: диск\nFrom: =?unknown-8bit?Q?=C4=C9=D3=CB?= <a@b.c>\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=koi8-r\n\nдиск\n"
        '--b\nContent-Type: application/x-log; name="диск.log"\n\nx\n--b--\n'.encode("koi8-r")
    )
    assert mail.sender is not None
    assert (mail.subject, mail.sender.name, mail.text, mail.files[0].name) == ("диск", "диск", "диск", "диск.log")


def test_what_a_text_declares_does_not_outweigh_what_cannot_be() -> None:
    """A footer in Latin-1 makes no Latin of the Cyrillic text before it."""
    mail = read_message(
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n%b\n--b\n"
        b"Content-Type: text/plain; charset=iso-8859-1\n\nListe priv\xe9e\n--b--\n" % "Диск заполнен".encode("cp1251")
    )
    assert mail.text == "Диск заполнен\n\nListe privée\n"


def test_a_charset_of_two_octets_says_nothing_of_the_header() -> None:
    """A subject of ASCII beside a text in UTF-16 is what it looks like."""
    mail = read_message(b"Subject: disk full\nContent-Type: text/plain; charset=utf-16\n\nd\0i\0s\0k\0")
    assert (mail.subject, mail.text) == ("disk full", "disk")


def test_a_subject_that_was_cut_off_within_a_character() -> None:
    """It is UTF-8 to its last whole character."""
    assert read_message(b"Subject: " + "磁盘已满".encode()[:-1] + b"...\n\n").subject == "磁盘已\\xe6\\xbb..."


def test_a_sample_is_of_lines_that_are_not_ascii() -> None:
    """They may stand behind a megabyte of ASCII, and more of them than needed are left out."""
    disk = "Диск".encode("koi8_r")
    assert sample_of([b"a\n" * 500_000 + b"b " + disk + b"\nc", disk]) == b"b " + disk + b"\n" + disk + b"\n"
    assert len(sample_of([disk * MAX_SAMPLE])) == MAX_SAMPLE


def test_the_detector_is_loaded_when_it_is_needed() -> None:
    """Commands that read a mail with a declared charset start without it."""
    program = (
        "import sys; from app.mail.reading.reader import read_message\n"
        "read_message(b'Content-Type: text/plain; charset=koi8-r\\n\\n\\xc4\\xc9'); print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "charset_normalizer" not in run.stdout.split()


@pytest.mark.parametrize(
    ("codec", "declared", "text"),
    [
        ("koi8_r", "utf-8", "Нет связи с узлом web1, проверьте, пожалуйста, кабель."),
        ("gb18030", "utf-8", "服务器没有响应，请检查连接。"),
        ("cp932", "utf-8", "サーバーが応答しません。至急ご確認ください。"),
        ("cp1252", "gb2312", "Où êtes-vous ? Réunion déplacée à jeudi, à l’école."),
        ("big5", "euc-jp", "伺服器沒有回應，請檢查連線。"),
        ("cp1251", "shift_jis", "Нет связи с узлом web1, проверьте, пожалуйста, кабель."),
    ],
)
def test_what_a_text_declares_in_vain_is_told_by_its_look(codec: str, declared: str, text: str) -> None:
    """Programs write one charset over texts of any other."""
    head = f"Subject: x\nContent-Type: text/plain; charset={declared}\nContent-Transfer-Encoding: 8bit\n\n"
    mail = read_message(head.encode() + text.encode(codec))
    assert (mail.text, mail.defects) == (text, (WRONG_CHARSET,))


def test_a_damaged_text_stays_in_the_charset_that_it_declares() -> None:
    """One octet too many does not make it another one."""
    text = "サーバーが応答しません。至急ご確認ください。"
    head = b"Content-Type: text/plain; charset=shift_jis\nContent-Transfer-Encoding: 8bit\n\n"
    mail = read_message(head + text.encode("cp932") + b"\x81 OK")
    assert (mail.text, mail.defects) == (f"{text}\\x81 OK", (UNDECODABLE,))
