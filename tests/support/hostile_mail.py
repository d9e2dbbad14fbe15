"""A mail that tries to harm whoever reads it: by orders to the terminal, and by the names of its files."""

ORDER = "\x1b[2J\x1b]0;owned\x07\x9b31m"  # clears the screen, names the window, colours, the last one in 8 bits

NAMES = ("../../etc/cron.d/job", "/etc/passwd", "..\\..\\boot.ini", "\u202egpj.exe", "a\x1b[2Jb.txt", "..", "CON")


def hostile_mail() -> bytes:
    """Return it: every word that a reader shows holds an order, and a file has each of NAMES."""
    lines = [
        f"From: {_word(f'Kim {ORDER}')} <kim@example.com>",
        f"To: {_word(f'Ops {ORDER}')} <ops@example.org>",
        f"Subject: {_word(f'hello {ORDER} there')}",
        "Date: Tue, 03 Mar 2026 12:00:00 +0000",
        f"X-Raw: {ORDER}",
        'Content-Type: multipart/mixed; boundary="b"',
        "",
        "--b",
        'Content-Type: text/plain; charset="utf-8"',
        "",
        f"text {ORDER} text",
        "--b",
        'Content-Type: text/html; charset="utf-8"',
        "",
        f"<p>page {ORDER} page</p>",
    ]
    for number, name in enumerate(NAMES):
        lines += [
            "--b",
            f"Content-Type: application/x-{number}",
            f'Content-Disposition: attachment; filename="{_word(name)}"',
            "",
            f"file {number}",
        ]
    return "\r\n".join([*lines, "--b--", ""]).encode()


def _word(text: str) -> str:
    """RFC 2047 section 2, with the Q encoding of section 4.2."""
    return f"=?utf-8?q?{''.join(f'={octet:02X}' for octet in text.encode())}?="
