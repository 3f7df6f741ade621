"""`schoolwatch check`: is the configuration right, what can each account do, and what must a firewall allow."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated

import typer
from rich.box import ASCII2
from rich.console import Console
from rich.table import Table

from monitor.bootstrap import examine_accounts, load_school_reader
from monitor.bootstrap.accounts import Examined
from monitor.cli.console import ConfigFolder, DataFolder, app, data_of
from monitor.config import Config, School, load_config
from monitor.domain.account import Account, Budget, Capabilities

HTTPS = 443
#: Characters a line where nobody's terminal says how wide it is: in a file, or down a pipe.
WIDTH = 160
#: Each with whether its lines may be broken where the terminal is narrow.
COLUMNS = {
    "account\nplatform, channel": False,
    "reads": True,
    "sees": False,
    "can do": True,
    "cost, limit": True,
    "token": True,
    "": False,
}


@app.command()
def check(
    config: ConfigFolder,
    data: DataFolder = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no platform about its token.")] = False,
    hosts: Annotated[
        bool, typer.Option("--hosts", help="Print only which hosts and ports a firewall or filter must allow.")
    ] = False,
) -> None:
    """Validate a configuration; say what each account can do. Exit status 1 if one or the classifier fails."""
    loaded = load_config(config)
    folder = data_of(loaded, data)
    if hosts:
        examined = examine_accounts(loaded, folder, ask=False)
        for line in hosts_to_allow(loaded.school, [(one.account, one.can) for one in examined if one.can]):
            print(line)
        return
    _say_configuration(loaded)
    well = _say_classifier(loaded, folder)
    examined = examine_accounts(loaded, folder, ask=not offline)
    for one in examined:
        _say_account(one)
    _print_table(examined)
    broken = {**loaded.problems, **{one.account.id: one.problem for one in examined if one.problem}}
    for name, problem in broken.items():
        print(f"  {name}: CANNOT BE READ: {problem}")
    raise typer.Exit(0 if well and not broken and all(map(_well, examined)) else 1)


def hosts_to_allow(school: School, accounts: Iterable[tuple[Account, Capabilities]]) -> list[str]:
    """A line for each host and port: HOST:PORT, spaces, what for."""
    uses: dict[tuple[str, int], list[str]] = {}
    for account, can in accounts:
        for host in can.hosts:
            uses.setdefault((host, HTTPS), []).append(f"read {account.id}")
        for host in can.pages:
            uses.setdefault((host, HTTPS), []).append(f"photograph evidence of {account.id}")
    uses.setdefault((school.mail.host, school.mail.port), []).append("send e-mail")
    names = {f"{host}:{port}": ", ".join(purposes) for (host, port), purposes in sorted(uses.items())}
    width = max(map(len, names))
    return [f"{name:{width}}  {purpose}" for name, purpose in names.items()]


def _say_configuration(loaded: Config) -> None:
    print(
        f"{loaded.school.name}: {len(loaded.people)} people, {len(loaded.policy.book.rules)} rules, "
        f"calendar of {loaded.school.nation} known to {loaded.calendar.horizon:%d %B %Y}"
    )
    for warning in loaded.warnings:
        print(f"  warning: {warning}")


def _say_classifier(loaded: Config, folder: Path) -> bool:
    """Whether it can be loaded."""
    reader = load_school_reader(loaded, folder)
    print(f"  classifier: {reader.name} {reader.version}")
    for note in reader.notes:
        print(f"    note: {note}")
    if reader.problem:
        print(f"    CANNOT BE LOADED, the word list reads alone: {reader.problem}")
    return not reader.problem


def _say_account(one: Examined) -> None:
    print(f"  {one.account.id} ({one.account.connector}, {one.account.channel}): {one.account.name}")
    for note in (*(one.can.notes if one.can else ()), *one.access.notes):
        print(f"    note: {note}")


def _print_table(examined: Sequence[Examined]) -> None:
    table = Table(box=ASCII2, show_lines=True)
    for heading, broken in COLUMNS.items():
        table.add_column(heading, overflow="fold", no_wrap=not broken)
    for one in examined:
        table.add_row(*_row(one))
    width = get_terminal_size((WIDTH, 24)).columns
    Console(width=width, color_system=None, highlight=False, markup=False, emoji=False).print(table)


def _row(one: Examined) -> tuple[str, ...]:
    account, can = one.account, one.can
    return (
        f"{account.id}\n{account.connector}, {account.channel}",
        ", ".join(can.reads) if can else "?",
        "\n".join(_sees(can)) or "neither" if can else "?",
        ", ".join(can.acts) or "read only" if can else "?",
        _cost(can.budget) if can else "?",
        _token(one),
        "ok" if _well(one) else "!!",
    )


def _sees(can: Capabilities) -> list[str]:
    seen = {"edits": can.edits, "deletions": can.deletions, "hidden": can.hidden}
    return [what for what, told in seen.items() if told]


def _cost(budget: Budget | None) -> str:
    return f"{budget.cap:,g} {budget.unit} a {budget.period}" if budget else "none"


def _token(one: Examined) -> str:
    """What is to be known of the account's secrets, one thing a line."""
    if one.problem:
        told = [one.problem.partition(";")[0]]
    else:
        told = [f"lacks {permission}" for permission in one.access.lacks]
        told += [f"{what} ends {when:%d %B %Y}" for what, when in sorted(one.access.ends.items())]
    if one.can and one.can.needs:
        told.append(f"needs {', '.join(one.can.needs)}")
    return "\n".join(told)


def _well(one: Examined) -> bool:
    return not one.problem and not one.access.lacks
