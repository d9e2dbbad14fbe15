"""What a mail in the mailbox is, in the eyes of a system that sends alerts."""

from enum import StrEnum


class MailKind(StrEnum):
    """One of these for every mail. The values stand in the journal and the log."""

    PROBE = "probe"  # our own test mail has arrived
    BOUNCE = "bounce"  # a report on a mail that was sent: not delivered, or delayed
    REPORT = "report"  # on a mail that is not proved to be ours, or one that cannot be understood
    AUTOMATIC = "automatic"  # an autoresponder's answer, or a receipt
    ACKNOWLEDGEMENT = "acknowledgement"  # a person's answer to an alert, with a command in its first own line
    ANSWER = "answer"  # a person's answer to an alert, without one
    ALERT = "alert"  # a mail that a Mail Alert System sent
    OTHER = "other"  # any other mail
