"""The HTML part: nothing in an alert becomes markup, and nothing is loaded."""

from typing import Any

import pytest

from app.domain.alert import Alert, Link
from app.mail.compose import Composer
from tests.support.mails import part_of, queued_mail, read_mail

COMPOSER = Composer(mac_key=b"k" * 32)


def html_of(alert: Alert, **changes: Any) -> str:
    return part_of(read_mail(COMPOSER.render(queued_mail(alert, **changes))), "html")


XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;{{ 7 * 7 }}"


def test_html_is_escaped_in_every_field() -> None:
    """No field of an alert can bring an element of its own, or run as a template."""
    hostile = Alert(
        subject=XSS, content=XSS, source=XSS, labels={XSS: XSS}, key=XSS, links=(Link(XSS, XSS), Link(f"https://{XSS}")),
        extra={XSS: XSS, "o": {XSS: [XSS]}}, notes=(XSS,),
    )  # fmt: skip
    html = html_of(hostile, server_name=XSS)
    assert "<script" not in html
    assert "<img" not in html
    assert "&amp;amp;{{ 7 * 7 }}" in html


LINKS = {
    "https": ("https://x.example/a?b=1&c=2", True),
    "http": ("HTTP://x.example", True),
    "mailto": ("mailto:ops@example.org", True),
    "script": ("javascript:alert(1)", False),
    "script behind a space": (" javascript:alert(1)", False),
    "data": ("data:text/html,<b>", False),
    "file": ("file:///etc/passwd", False),
    "relative": ("//x.example", False),
    "two lines": ("https://x.example\njavascript:alert(1)", False),
}


@pytest.mark.parametrize(("url", "clickable"), LINKS.values(), ids=LINKS.keys())
def test_only_web_and_mail_links_can_be_clicked(url: str, clickable: bool) -> None:
    """Anything else is shown as text."""
    html = html_of(Alert(subject="s", links=(Link(url, "title"),)))
    assert ("<a href=" in html) is clickable
    assert "title" in html


def test_html_loads_nothing() -> None:
    """No image, no style sheet, no font from outside: nothing that could track the reader."""
    html = html_of(Alert(subject="s", content="c", source="x", labels={"a": "b"}, extra={"e": 1}, notes=("n",)))
    assert "http" not in html
    assert "src=" not in html
    assert "url(" not in html
