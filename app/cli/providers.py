"""What the large providers want of those who log in with a password that they refuse. Pure."""

from collections.abc import Iterator

TWO_STEPS = "turn on two-step verification and make an app password; the account's own password does not work"
AUTHORISATION_CODE = (
    "turn on {service} in the account's settings on the web and take the authorisation code (授权码) that it "
    "shows; the account's own password does not work"
)
ANY_PROVIDER = (
    "check user and password; many providers want an app password or an authorisation code, made in the "
    "account's settings on the web, instead of the account's own password"
)
PROVIDERS = {  # by the domain that their servers are in; `service` is SMTP, IMAP or POP3
    "qq.com": f"QQ Mail: {AUTHORISATION_CODE}",
    "163.com": f"NetEase Mail: {AUTHORISATION_CODE}",
    "126.com": f"NetEase Mail: {AUTHORISATION_CODE}",
    "yeah.net": f"NetEase Mail: {AUTHORISATION_CODE}",
    "gmail.com": f"Gmail: {TWO_STEPS}",
    "googlemail.com": f"Gmail: {TWO_STEPS}",
    "yahoo.com": f"Yahoo: {TWO_STEPS}",
    "me.com": "iCloud: make an app-specific password; the user is the whole iCloud address",
    "icloud.com": "iCloud: make an app-specific password; the user is the whole iCloud address",
    "outlook.com": "Outlook.com: it takes no passwords from programs any more; log in by a token ({oauth_section})",
    "office365.com": (
        "Microsoft 365: it takes tokens instead of passwords ({oauth_section}), and the administrator must allow "
        "{allowed} for this mailbox"
    ),
}


def for_password(host: str, username: str, *, service: str, oauth_section: str) -> Iterator[str]:
    """Yield what may mend a password that was refused. `oauth_section` is the section of the settings for tokens."""
    words = {
        "service": service,
        "oauth_section": oauth_section,
        "allowed": "SMTP AUTH" if service == "SMTP" else service,
    }
    hints = [hint.format_map(words) for domain, hint in PROVIDERS.items() if f".{host}".endswith(f".{domain}")]
    yield from hints or [ANY_PROVIDER]
    if "@" not in username:
        yield f"the user is {username}: some servers want the whole address (in the URL, @ is written %40)"
