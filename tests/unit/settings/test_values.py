"""How lists are read."""

import pytest

from app.settings.values import split_list


@pytest.mark.parametrize("text", ["[]", " [] ", "", []], ids=["brackets", "spaces", "nothing", "list"])
def test_a_list_may_be_empty(text: object) -> None:
    """The environment, where an empty variable is refused, can say that there is none."""
    assert split_list(text) == ()


@pytest.mark.parametrize("text", ["a;b", "a, b", ["a", "b"], "; a ,b;"], ids=["semicolon", "comma", "list", "untidy"])
def test_a_list_may_be_written_in_three_ways(text: object) -> None:
    """A TOML list, or a string with semicolons or commas."""
    assert split_list(text) == ("a", "b")


@pytest.mark.parametrize("value", [5, {"a": 1}, ["a", 5], None])
def test_what_is_no_list_is_refused(value: object) -> None:
    """Other types are told how a list is written."""
    with pytest.raises(ValueError, match="is no list"):
        split_list(value)
