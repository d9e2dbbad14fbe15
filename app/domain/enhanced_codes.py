"""What the enhanced status codes of SMTP say, in words for people."""

# RFC 3463 section 3 and the IANA registry "SMTP Enhanced Status Codes", by subject and detail.
# Details that only say "other" are not here: the stage of the dialogue tells more.
_MEANINGS = {
    "1.1": "mailbox does not exist",
    "1.2": "domain of the recipient does not exist",
    "1.3": "address is written wrongly",
    "1.4": "address fits more than one mailbox",
    "1.6": "mailbox has moved and left no new address",
    "1.7": "sender address is written wrongly",
    "1.8": "domain of the sender address does not exist",
    "1.10": "domain of the recipient takes no mail",  # RFC 7505 section 4.2
    "2.1": "mailbox is disabled",
    "2.2": "mailbox is full",
    "2.3": "mail is larger than this mailbox takes",
    "2.4": "mailing list cannot be expanded",
    "3.1": "relay has no room for mail",
    "3.2": "relay takes no mail at present",
    "3.3": "relay lacks a feature that the mail needs",
    "3.4": "mail is larger than the relay takes",
    "3.5": "relay is set up wrongly",
    "4.1": "next mail server does not answer",
    "4.2": "connection to the next mail server broke",
    "4.3": "relay could not look up the way to the recipient",
    "4.4": "relay knows no way to the recipient",
    "4.5": "relay is overloaded",
    "4.6": "mail runs in a loop between servers",
    "4.7": "relay could not deliver it in time",
    "5.1": "relay does not know this command",
    "5.2": "relay cannot read this command",
    "5.3": "too many recipients in one mail",
    "5.4": "relay does not know a parameter of this command",
    "5.5": "relay speaks another version of SMTP",
    "6.1": "relay does not take this kind of content",
    "6.2": "content needs a conversion that is forbidden",
    "6.3": "content needs a conversion that the relay cannot make",
    "6.4": "content would lose something in a conversion",
    "6.5": "content could not be converted",
    "6.7": "address that is not ASCII is not taken here",  # RFC 6531 section 3.5
    "6.9": "mail with UTF-8 in its header is not taken here",  # RFC 6531 section 3.5
    "7.0": "policy of the relay is against it",
    "7.1": "sender or recipient is not permitted here",
    "7.2": "sender may not write to this mailing list",
    "7.3": "mail needs a change of its encryption that is not possible",
    "7.4": "relay lacks a security feature that the mail needs",
    "7.5": "cryptography of the mail could not be handled",
    "7.7": "signature of the mail does not fit it",
    # RFC 4954 section 6.
    "7.8": "user name or password is wrong",
    "7.9": "way of logging in is too weak for the relay",
    "7.10": "relay wants encryption",
    "7.11": "relay wants encryption for this way of logging in",
    "7.12": "password must be set anew for this way of logging in",
    "7.13": "account is disabled",
    "7.17": "mailbox has another owner now",  # RFC 7293 section 15.4
    "7.18": "domain has another owner now",
    # RFC 7372 section 3: checks of who the sender is.
    "7.20": "mail has no valid DKIM signature; sign it, or mend the key in the DNS",
    "7.21": "mail has no acceptable DKIM signature",
    "7.22": "mail has no DKIM signature of the domain in From",
    "7.23": "SPF forbids this relay to send for the sender's domain",
    "7.24": "SPF record of the sender's domain could not be read",
    "7.25": "address of the sending machine has no name in the DNS",
    "7.26": "mail failed SPF and DKIM; publish them for the sender's domain",
    "7.27": "domain of the sender address takes no mail",  # RFC 7505 section 4.2
    "7.28": "too much mail at once from this sender",
    "7.29": "mail failed ARC",  # RFC 8617 section 10.5
    "7.30": "next mail server does not encrypt as the mail demands",  # RFC 8689 section 7
    "7.60": "account may not send as this sender address",  # Microsoft's, "SendAsDenied"
}
# Temporary, these are how a server greets a sender that it does not know (greylisting, RFC 6647 section 5).
_ASKED_TO_WAIT = frozenset({"4.7.0", "4.7.1"})


def meaning(enhanced: str) -> str:
    """Return what the code ("5.1.1") says, as the part of a sentence; "" for one that says nothing more."""
    if enhanced in _ASKED_TO_WAIT:
        return "relay asks to try again later"
    return _MEANINGS.get(enhanced[2:], "")
