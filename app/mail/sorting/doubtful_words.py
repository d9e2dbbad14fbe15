"""What makes an acknowledgement doubtful behind its word: a question, an objection, or the phrases of a program."""

# In small letters (Unicode's casefold), after NFKC. Better a person asks why nothing happened than an alert falls
# silent by mistake: so "ack, no problem" is none either.
# fmt: off
OBJECTIONS = (
    "but", "not", "no", "cannot", "can't", "won't", "don't", "isn't", "wait", "however", "except", "wrong", "remove",
    "aber", "nicht", "kein", "keine", "nein", "warte", "doch",
    "mais", "pas", "non", "attends",
    "pero", "espera",
)
PROGRAMS = (
    "ticket", "automated", "automatic", "automatically", "out of office", "out of the office", "helpdesk", "help desk",
    "has been received", "been created", "vacation", "holiday",
    "automatisch", "abwesend", "abwesenheit", "urlaub", "außer haus", "erstellt",
    "automatique", "absent", "absente", "congé", "congés",
    "automático", "automática", "fuera de la oficina", "vacaciones", "mensaje", "será atendido",
)
# Chinese and Japanese put no spaces between words.
ANYWHERE = (
    "但", "不", "没", "別", "别", "您", "自动", "自動", "尽快", "儘快", "邮件", "郵件", "吗", "嗎", "ません", "ない",
)
# fmt: on
