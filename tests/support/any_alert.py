"""A Hypothesis strategy for alerts of every kind, over the texts, times and values that a test allows."""

from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from app.domain.alert import Alert, Link, Severity, Status


def any_alert(
    texts: SearchStrategy[str], moments: SearchStrategy[datetime], scalars: SearchStrategy[Any]
) -> SearchStrategy[Alert]:
    """Return alerts whose unknown fields nest `scalars` in lists and objects."""
    values = st.recursive(
        scalars | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=8,
    )
    return st.builds(
        Alert,
        subject=texts,
        content=texts,
        severity=st.sampled_from(Severity),
        status=st.sampled_from(Status),
        source=texts,
        labels=st.dictionaries(texts, texts, max_size=3),
        key=texts,
        starts_at=st.none() | moments,
        ends_at=st.none() | moments,
        links=st.lists(st.builds(Link, texts, texts), max_size=2).map(tuple),
        extra=st.dictionaries(texts, values, max_size=3),
        notes=st.lists(texts, max_size=2).map(tuple),
    )
