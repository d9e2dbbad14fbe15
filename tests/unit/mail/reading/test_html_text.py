"""HTML as text: what a person would read on the page."""

import pytest

from app.mail.reading.html_text import html_to_text
from app.mail.reading.html_tokens import MAX_TAGS

BUTTON = '<a href=https://g.example/d?a=1&amp;b=2><img alt="Open it" src=x></a>'
OUTLOOK_TABLE = (
    "<table><tr><td><p>CPU</p></td><td><p>97 %</p></td></tr><tr><td><p>RAM</p></td><td><p>3 %</p></td></tr></table>"
)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree\n"),
        ("<div>a</div>\n<div>b</div>", "a\nb\n"),
        ("a\n  <b>b</b>c <i> d</i>", "a bc d\n"),
        ("&lt;b&gt; &amp;amp; &eacute;&#x1F525;&#233;&nbsp;&unknown;", "<b> &amp; é🔥é &unknown;\n"),
        ("<style>p{}</style><script>if(a<b){}</script><title>t</title>x<!-- <p>y -->z", "xz\n"),
        ('<a href="https://g.example/d">Dashboard</a>, ok', "Dashboard <https://g.example/d>, ok\n"),
        ('<a href="https://g.example/">g.example</a> <a href=mailto:a@b.c>a@b.c</a>', "g.example a@b.c\n"),
        ('<a href="javascript:x()">run</a> <a name=top>top</a>', "run top\n"),
        (BUTTON, "[Open it] <https://g.example/d?a=1&b=2>\n"),
        ("x<ul><li>a<li><p>b</p><ol><li>c</ol></ul>y", "x\n\n- a\n- b\n  1. c\n\ny\n"),
        ("<table><tr><th>Name<th>Value<tr><td>CPU<td>97 %</table>end", "Name | Value\nCPU | 97 %\n\nend\n"),
        (OUTLOOK_TABLE, "CPU | 97 %\nRAM | 3 %\n"),
        ("<table><tr><td><div>a</div><div>b</div></td><td>c</td></tr></table>", "a\nb\nc\n"),
        ("yes<blockquote>quoted<blockquote>deep</blockquote></blockquote>no", "yes\n\n> quoted\n\n> > deep\n\nno\n"),
        ("<pre>  a\n    b</pre>c", "  a\n    b\n\nc\n"),
        ("a<hr>b", "a\n----------\nb\n"),
        ("2 < 3 and x <y", "2 < 3 and x <y\n"),
        ('<a title="a > b" href=\'http://x\'>y</a>', "y <http://x>\n"),
        ('<a href="http://x>y</a>', "y\n"),
        ("&#x200c;&nbsp;&#x200c;<p>x</p>", "x\n"),
        ("<p>&#0;&#99999999999999999999;x", "\ufffd\ufffd9999999999999;x\n"),
        ("", ""),
    ],
    ids=[
        "paragraphs", "lines", "white space", "references", "hidden", "link", "link that is its text", "no link",
        "picture in a link", "lists", "table", "table of Outlook", "cells of several lines", "quotes", "preformatted",
        "rule", "forgotten escape", "quotes around >", "quote without an end", "filler", "huge reference", "empty",
    ],
)  # fmt: skip
def test_pages(page: str, text: str) -> None:
    """The text keeps what the page says, in its order and rows."""
    assert html_to_text(page) == text


def test_behind_too_many_tags_the_text_goes_on() -> None:
    """Nothing of it is lost but its layout, and no page of tags keeps a processor busy."""
    page = "<p>" * MAX_TAGS + "<p>disk &amp; tape</p><a title='x'>full</a> 1 < 2<!-- hidden -->"
    assert html_to_text(page) == "disk & tape full 1 < 2\n"
