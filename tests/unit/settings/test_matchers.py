"""Matchers: Alertmanager's syntax, anchored patterns, and nothing that a stranger's label can slow down."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ConfigurationError
from app.settings.matchers import parse_matcher, parts_of
from app.settings.pattern import MAX_PATTERN

HANG = 10.0  # seconds; a match takes microseconds

WRITTEN = {
    "quoted": ('team="db"', ("team", "=", "db")),
    "bare": ("team=db", ("team", "=", "db")),
    "with spaces": (' team = "db" ', ("team", "=", "db")),
    "bare with a space in it": ("team= data base ", ("team", "=", "data base")),
    "unlike": ('team!="db"', ("team", "!=", "db")),
    "pattern": ('host=~"db[0-9]+"', ("host", "=~", "db[0-9]+")),
    "bare pattern": ("host=~db.*", ("host", "=~", "db.*")),
    "unlike a pattern": ('host!~"web|mail"', ("host", "!~", "web|mail")),
    "operator in the value": ('query="a!=b"', ("query", "=", "a!=b")),
    "bare with an operator": ("query=a=~b", ("query", "=", "a=~b")),
    "empty": ("team=", ("team", "=", "")),
    "empty in quotes": ('team=""', ("team", "=", "")),
    "escaped quote": (r'text="a \"b\" \\ c"', ("text", "=", r'a "b" \ c')),
    "escaped line end": (r'text="a\nb"', ("text", "=", "a\nb")),
    "pattern with backslashes": (r'host=~"db\.example\.org"', ("host", "=~", r"db\.example\.org")),
    "pattern with doubled ones": (r'host=~"db\\.example"', ("host", "=~", r"db\.example")),
    "dotted label": ("service.name=api", ("service.name", "=", "api")),
    "label in quotes": ('"my label"="x"', ("my label", "=", "x")),
    "label in another script": ("größe=x", ("größe", "=", "x")),
}


@pytest.mark.parametrize(("text", "parts"), WRITTEN.values(), ids=WRITTEN.keys())
def test_it_is_written_as_for_alertmanager(text: str, parts: tuple[str, str, str]) -> None:
    """What people have in their configuration can be copied."""
    assert parts_of(text) == parts


WRONG = {
    "nothing": "",
    "no operator": "team",
    "no label": '="db"',
    "another operator": "team>3",
    "quote after an operator too many": 'team=="db"',
    "open quote": 'team="db',
    "text after the quote": 'team="db" and more',
    "quote in a bare value": 'team=d"b',
    "braces": '{team="db"}',
    "a list of them": 'team="db",env="test"',
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_matcher_is_refused_with_the_syntax(text: str) -> None:
    """The complaint repeats the matcher and says how to write one."""
    with pytest.raises(ConfigurationError, match='is no matcher; write label="value"') as caught:
        parse_matcher(text)
    assert repr(text) in str(caught.value)


WRONG_PATTERNS = {
    "open bracket": ("a(", "unclosed group"),
    "look-around": ("(?=a)", "look-around"),
    "reference": (r"(a)\1", "backreferences"),
    "brackets that fit ours": ("a)|(b", "unopened group"),
    "huge when compiled": ("(a{1000}){1000}", "size limit"),
    "too long": ("a" * (MAX_PATTERN + 1), f"at most {MAX_PATTERN}"),
}


@pytest.mark.parametrize(("pattern", "reason"), WRONG_PATTERNS.values(), ids=WRONG_PATTERNS.keys())
def test_a_bad_pattern_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    """At the start, not when the first alert comes."""
    with pytest.raises(ConfigurationError, match=reason):
        parse_matcher(f"host=~{pattern}")


MATCHES = {
    "equal": ("team=db", {"team": "db"}, True),
    "another": ("team=db", {"team": "web"}, False),
    "not equal": ("team!=db", {"team": "web"}, True),
    "missing is empty": ("team=", {}, True),
    "missing is not db": ("team!=db", {}, True),
    "missing and a pattern that takes nothing": ("team=~.*", {}, True),
    "missing and one that wants something": ("team=~.+", {}, False),
    "whole value": ("host=~db", {"host": "db1"}, False),
    "not in its middle": ("host=~b", {"host": "abc"}, False),
    "alternatives are whole too": ("host=~db|web", {"host": "db1"}, False),
    "not the pattern": ("host!~db.*", {"host": "web1"}, True),
    "a dot takes line ends": ("text=~a.b", {"text": "a\nb"}, True),
    "no line end at the end": ("text=~a", {"text": "a\n"}, False),
    "case counts": ("team=~DB", {"team": "db"}, False),
    "unless it is said": ("team=~(?i)DB", {"team": "db"}, True),
    "digits": (r"host=~db\d+", {"host": "db12"}, True),
}


@pytest.mark.parametrize(("text", "labels", "expected"), MATCHES.values(), ids=MATCHES.keys())
def test_it_matches_as_alertmanager_does(text: str, labels: dict[str, str], expected: bool) -> None:
    """Patterns hold for the whole value, and a label that is missing is an empty one."""
    assert parse_matcher(text).matches(labels) is expected


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a?){40}a{40}b", ".*.*.*.*.*b"])
def test_no_value_makes_a_pattern_slow(pattern: str) -> None:
    """Patterns for which Python's own engine takes years: the time grows with the value, and no more."""
    matcher = parse_matcher(f"host=~{pattern}")
    began = time.monotonic()
    assert not matcher.matches({"host": "a" * 1024})
    assert time.monotonic() - began < HANG


@given(value=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_value_can_be_written_in_quotes(value: str) -> None:
    """With a backslash before quotes and backslashes every value reads back."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    assert parts_of(f'label="{quoted}"') == ("label", "=", value)


@given(text=st.text() | st.from_regex(r"\A[a-c\"\\ ]*(=|!=|=~|!~)[a-c\"\\(*\[ ]*\Z"))
def test_any_text_is_a_matcher_or_a_complaint(text: str) -> None:
    """Nothing else is ever raised."""
    with suppress(ConfigurationError):
        assert parse_matcher(text).matches({}) in {True, False}


def test_a_matcher_shows_how_it_was_written() -> None:
    """In logs and failed tests; two that were written alike are the same."""
    matcher = parse_matcher("team=~db.*")
    assert repr(matcher) == "Matcher(label='team', text='team=~db.*')"
    assert matcher == parse_matcher("team=~db.*") != parse_matcher("team=~db.+")
