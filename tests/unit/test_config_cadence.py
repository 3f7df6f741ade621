"""How often accounts are read is configured within bounds that keep the school's day to answer."""

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.domain.errors import ConfigError
from tests.unit.test_config import change, folder

__all__ = ["folder"]


def test_a_quiet_account_is_read_every_half_hour_unless_the_school_says_otherwise(folder: Path) -> None:
    change(folder, "school.yaml", "poll_quiet: PT30M", "# left out")
    assert load_config(folder).school.poll_quiet == timedelta(minutes=30)


@pytest.mark.parametrize(("every", "quiet"), [("PT10M", "PT5M"), ("PT5M", "PT4H1M"), ("PT0S", "PT30M")])
def test_polls_that_are_too_slow_or_never_end_are_refused(folder: Path, every: str, quiet: str) -> None:
    change(folder, "school.yaml", "poll_every: PT5M", f"poll_every: {every}")
    change(folder, "school.yaml", "poll_quiet: PT30M", f"poll_quiet: {quiet}")
    with pytest.raises(ConfigError, match="poll_quiet"):
        load_config(folder)
