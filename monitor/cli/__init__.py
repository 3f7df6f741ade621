"""The `schoolwatch` command."""

import logging
import sys

from monitor.cli import check, files, learning, service
from monitor.cli.console import app, say
from monitor.domain.errors import MonitorError

__all__ = ["app", "check", "files", "learning", "main", "service"]


def main() -> None:
    """Run the command; a MonitorError is one clear line and exit status 1."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # A capture may take longer than a tick: the next one then waits its turn, and nothing is amiss.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    try:
        app()
    except MonitorError as error:
        say(f"schoolwatch: {error}")
        sys.exit(1)
