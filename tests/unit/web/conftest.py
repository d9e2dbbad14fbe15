"""The web routes over a journal in memory, called as the gate would call them."""

import pytest

from tests.support.web_site import Site


@pytest.fixture
def site() -> Site:
    """A site in which all is well."""
    return Site()
