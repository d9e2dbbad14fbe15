"""How lists are read."""

import json
from pathlib import Path

import pytest

from app.settings.load import load_settings
from app.settings.values import split_list


@pytest.mark.parametrize("text", ["[]", " [] ", "", []], ids=["brackets", "spaces", "nothing", "list"])
def test_a_list_may_be_empty(text: object) -> None:
    """The environment, where an empty variable is refused, can say that there is none."""
    assert split_list(text) == ()


@pytest.mark.parametrize(
    "text",
    ["a;b", "a, b", ["a", "b"], "; a ,b;", ' ["a", "b "]'],
    ids=["semicolon", "comma", "list", "untidy", "JSON"],
)
def test_a_list_may_be_written_in_four_ways(text: object) -> None:
    """A TOML list, or a string: with semicolons, with commas, or as JSON, which looks like TOML."""
    assert split_list(text) == ("a", "b")


@pytest.mark.parametrize("value", [5, {"a": 1}, ["a", 5], None, '["a", 5]', '["a"', "[" * 100_000])
def test_what_is_no_list_is_refused(value: object) -> None:
    """Other types are told how a list is written."""
    with pytest.raises(ValueError, match="is no list"):
        split_list(value)


@pytest.mark.parametrize(
    ("setting", "items"),
    [
        ("mail_to", ["a@example.org", "b@example.org"]),
        ("alarm.to", ["a@example.org", "b@example.org"]),
        ("http.allowed_hosts", ["a.example.org", "b.example.org"]),
        ("http.allowed_recipients", ["a.example.org", "b@example.org"]),
        ("http.trusted_proxies", ["10.0.0.0/8", "::1"]),
        ("smtp_intake.allow_from", ["10.0.0.0/8", "::1"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_list_may_be_json_in_the_environment(
    setting: str, items: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the configuration file can be copied there."""
    monkeypatch.chdir(tmp_path)  # where no ./config/mailalert.toml is
    variable = f"MAILALERT_{setting.replace('.', '__').upper()}"
    value: object = load_settings(config=None, sandbox=True, environ={variable: json.dumps(items)})
    for name in setting.split("."):
        value = getattr(value, name)
    assert isinstance(value, tuple)
    assert [getattr(item, "address", item) for item in value] == items
