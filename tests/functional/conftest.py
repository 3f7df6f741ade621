"""Every case read once, in one batch."""

from collections.abc import Mapping

import pytest

from monitor.domain.verdict import Reading
from tests.functional.cases import read
from tests.functional.known_failures import every_case


@pytest.fixture(scope="session")
def readings() -> Mapping[str, Reading]:
    """The shipped model's reading of each case, by id."""
    return read(every_case())
