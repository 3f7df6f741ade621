"""A pytest plugin: how many of the slow tests run. Loaded by scripts/test with `-p tests.slow`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slow",
        choices=("all", "sample", "none"),
        default="all",
        help="which tests marked slow to run; sample: the first case of each",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect slow tests, and say so in pytest's closing line."""
    amount = config.getoption("--slow")
    if amount == "all":
        return
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    sampled: set[str] = set()
    for item in items:
        function = item.nodeid.partition("[")[0]
        wanted = item.get_closest_marker("slow") is None or (amount == "sample" and function not in sampled)
        (kept if wanted else left_out).append(item)
        sampled.add(function)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)
