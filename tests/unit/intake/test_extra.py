"""Unknown fields: kept as JSON that every renderer and the journal can hold."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.extra import MAX_DEPTH, keep

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param("a\r\nb\0\ud800", "a\nb\ufffd\ufffd", id="text"),
        pytest.param({"a\nb": [1, None, True, 0.5]}, {"a b": [1, None, True, 0.5]}, id="nested"),
        pytest.param(float("nan"), "nan", id="nan"),
        pytest.param(float("-inf"), "-inf", id="infinity"),
        pytest.param(2**63 - 1, 2**63 - 1, id="greatest-integer"),
        pytest.param(-(10**30), "-1" + "0" * 30, id="great-integer"),
    ],
)
def test_value_is_kept(value: object, kept: object) -> None:
    """The value stays as it came, as far as it can be shown."""
    assert keep({"field": value}) == {"field": kept}


def test_deep_value_is_kept_as_its_text() -> None:
    """What renders an alert may recurse without fear."""
    value: Any = "core"
    for _ in range(150):
        value = [value]

    kept = keep({"field": value})["field"]

    for _ in range(MAX_DEPTH):
        (kept,) = kept
    assert kept == "[" * (150 - MAX_DEPTH) + '"core"' + "]" * (150 - MAX_DEPTH)


@given(st.dictionaries(st.text(st.characters()), JSON_VALUES, max_size=4))
def test_what_is_kept_is_json_in_utf8(fields: dict[str, Any]) -> None:
    """The journal stores it and reads back the same."""
    kept = keep(fields)

    assert json.loads(json.dumps(kept, ensure_ascii=False, allow_nan=False).encode()) == kept
