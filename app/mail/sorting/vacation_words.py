"""How subjects of autoresponders begin, by language; in small letters (Unicode's casefold), compared after NFKC."""

# What Outlook and Exchange, Gmail, QQ, NetEase and Lotus Notes write, and what their users put there.
# fmt: off
VACATION_SUBJECTS = (
    "automatic reply", "automatic response", "automated reply", "automated response", "auto reply", "auto-reply",
    "autoreply", "auto response", "auto-response", "autoresponse", "autoresponder", "out of office autoreply",
    "out of office", "out of the office", "out-of-office", "ooo", "vacation", "on vacation", "away from the office",
    "automatische antwort", "abwesenheitsnotiz", "abwesenheitsnachricht", "abwesenheitsmeldung", "abwesenheit",
    "automatische abwesenheitsnotiz", "ausser haus",
    "réponse automatique", "message d'absence", "absence du bureau", "absent du bureau", "absence",
    "respuesta automática", "respuesta automatica", "fuera de la oficina", "fuera de oficina", "ausencia",
    "risposta automatica", "fuori sede", "fuori ufficio",
    "resposta automática", "fora do escritório", "ausência temporária",
    "automatisch antwoord", "afwezigheidsbericht", "afwezig",
    "autosvar", "automatiskt svar", "automatisk svar", "automaattinen vastaus",
    "automatyczna odpowiedź", "autoodpowiedź", "automatická odpověď", "automatikus válasz",
    "автоматический ответ", "автоответ", "otomatik yanıt",
    "自动回复", "自动答复", "自動回覆", "自動回復", "外出自动回复", "不在办公室",
    "自動応答", "自動返信", "不在通知", "자동 회신", "자동 응답", "자동응답", "부재중",
)
# fmt: on
