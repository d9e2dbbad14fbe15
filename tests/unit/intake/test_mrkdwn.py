"""Slack's markup becomes text that people read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.mrkdwn import links_in, readable, without_emphasis


@pytest.mark.parametrize(
    ("mrkdwn", "text"),
    [
        ("<https://h/1|the log> of <https://h/2>", "the log of https://h/2"),
        ("<@U123|ops> <@U123> <#C1|alerts> <!here> <!subteam^S1|@dba>", "@ops @U123 #alerts @here @dba"),
        ("<!date^1795381200^{date}|22 November>", "22 November"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("1 < 2 and <", "1 < 2 and <"),
    ],
)
def test_tags_are_shown_by_their_names(mrkdwn: str, text: str) -> None:
    """And what is no tag stays."""
    assert readable(mrkdwn) == text


def test_links_are_found() -> None:
    """With their titles; people and channels are none."""
    found = links_in("<https://h/?a=1&amp;b=2|the log> <@U1|ops> <https://h/2>")
    assert found == [("https://h/?a=1&b=2", "the log"), ("https://h/2", "")]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("*Disk full* on _db1_", "Disk full on db1"),
        ("`df` says ~90~ 97", "df says 90 97"),
        ("disk_free_bytes on a*b*c", "disk_free_bytes on a*b*c"),
        ("* a * b", "* a * b"),
    ],
)
def test_emphasis_is_taken_away_around_words(text: str, plain: str) -> None:
    """Not within them."""
    assert without_emphasis(text) == plain


@given(st.text("<>|@#!&;*_~` ax\n"))
def test_any_text_is_read(mrkdwn: str) -> None:
    """What a person writes is seldom well formed."""
    assert len(without_emphasis(readable(mrkdwn))) <= len(mrkdwn)
    assert all(target for target, _ in links_in(mrkdwn))
