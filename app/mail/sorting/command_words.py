"""The words that acknowledge an alert, by language; in small letters (Unicode's casefold), after NFKC."""

# fmt: off
ACKNOWLEDGE = (
    "ack", "acked", "acknowledge", "acknowledged", "ok", "okay",
    "bestätigt", "bestätige", "quittiert", "quittiere", "quittieren", "übernommen", "übernehme",          # German
    "acquitté", "acquittée", "acquitter", "acquitte", "confirmé", "pris en charge", "d'accord",  # French
    "confirmado", "confirmo", "confirmar", "enterado", "enterada", "recibido", "vale",                    # Spanish
    "确认", "已确认", "收到", "已收到", "知道了", "好的", "確認", "已確認", "已處理", "处理中", "我来处理",  # Chinese
    "了解", "了解です", "了解しました", "確認しました", "承知しました", "対応します", "対応中",              # Japanese
)
TAKE_BACK = (
    "unack", "un-ack", "unacked", "unacknowledge", "unacknowledged",
    "quittierung aufheben", "bestätigung aufheben", "nicht mehr quittiert",
    "annuler", "annulé", "ne plus acquitter",
    "anular", "anulado", "desconfirmar",
    "取消确认", "撤销确认", "取消確認", "撤銷確認",
    "確認取消", "確認を取り消し", "確認を取り消します",
)
# What may stand before a duration: "ack for 2h".
FOR = ("for", "für", "pendant", "pour", "durante", "por")
# fmt: on
