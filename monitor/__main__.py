"""`python -m monitor` is the `schoolwatch` command."""

from monitor.cli import main

main()
