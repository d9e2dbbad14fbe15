"""Words of mail servers that report in no standard form, by language: what came back, and what is late."""

import re

from app.mail.sorting.alternatives import any_of

# fmt: off
# How subjects begin: qmail, Exim, sendmail, Exchange, Gmail, Yahoo, Coremail (163), QQ, and their translations.
_SUBJECTS = (
    "undeliver", "mail delivery fail", "mail delivery system", "mail delivery error", "mail delivery problem",
    "delivery status notification", "delivery failure", "delivery failed", "delivery has failed", "delivery report",
    "delivery delayed", "delivery notification", "message delivery failure", "failure notice", "failed mail",
    "returned mail", "returned to sender", "could not deliver", "non-delivery", "nondeliverable",
    "warning: could not send", "warning: message", "delayed mail", "mail system error",
    "unzustellbar", "nicht zustellbar", "zustellung fehlgeschlagen",
    "non remis", "échec de la remise", "échec de remise", "message non distribué", "remise retardée",
    "no se puede entregar", "no entregado", "error de entrega", "devolución de correo",
    "系统退信", "退信", "未送达", "无法送达", "邮件投递失败", "投递失败", "無法傳遞", "配信不能", "配信エラー",
)
_FAILED = (
    "undeliver", "could not be delivered", "couldn't be delivered", "was not delivered", "wasn't delivered",
    "not deliverable", "unable to deliver", "wasn't able to deliver", "delivery failed", "delivery has failed",
    "delivery failure", "delivery to the following recipient", "permanent error", "permanent failure", "rejected",
    "returned to sender", "returned mail", "failure notice", "no such user", "user unknown", "unknown user",
    "mailbox unavailable", "does not exist", "doesn't exist",
    "unzustellbar", "nicht zugestellt", "nicht zustellbar", "zustellung fehlgeschlagen",
    "non remis", "n'a pas pu être remis", "échec de la remise", "échec de remise", "non distribué",
    "no se ha podido entregar", "no se puede entregar", "no entregado", "error de entrega",
    "退信", "被退回", "拒收", "未送达", "无法送达", "投递失败", "無法傳遞", "配信不能",
)
# These outweigh the others: a warning explains at length that nothing has failed so far.
_DELAYED = (
    "delayed", "delivery delay", "not yet been delivered", "warning: could not send", "will be retried",
    "will continue to try", "still being retried", "will keep trying", "no action is required", "just a warning",
    "warning message only", "do not need to resend", "verzögert", "retardé", "retrasado", "延迟", "遅延",
)
# fmt: on

BEGINNINGS = re.compile(rf"[\W_]*(?:{any_of(_SUBJECTS)})", re.IGNORECASE)
FAILED = re.compile(any_of(_FAILED), re.IGNORECASE)
DELAYED = re.compile(any_of(_DELAYED), re.IGNORECASE)
