"""`schoolwatch check`: is the configuration right, what can each account do, and what must a firewall allow."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from shutil import get_terminal_size
from textwrap import fill
from typing import Annotated

import typer
from rich.box import ASCII2
from rich.console import Console
from rich.table import Table

from monitor.bootstrap import examine_accounts, load_school_reader, what_is_missing
from monitor.bootstrap.accounts import Examined
from monitor.cli.console import ConfigFolder, DataFolder, app, data_of, say
from monitor.config import School, load_config
from monitor.domain.account import Account, Capabilities
from monitor.domain.source_health import WARN_DAYS

HTTPS = 443
#: Characters a line where nobody's terminal says how wide it is: in a file, or down a pipe.
WIDTH = 100


@app.command()
def check(
    config: ConfigFolder,
    data: DataFolder = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no platform about its token.")] = False,
    hosts: Annotated[
        bool, typer.Option("--hosts", help="Print only which hosts and ports a firewall or filter must allow.")
    ] = False,
) -> None:
    """Validate a configuration; say what each account can do, and what to mend. Exit status 1 if anything."""
    loaded = load_config(config)
    folder = data_of(loaded, data)
    if not (offline or hosts):
        say("Asking every platform about its token…")
    examined = examine_accounts(loaded, folder, ask=not (offline or hosts))
    if hosts:
        unknown = sorted({*loaded.problems, *(one.account.id for one in examined if not one.can)})
        for line in hosts_to_allow(loaded.school, [(one.account, one.can) for one in examined if one.can]):
            print(line)
        for name in unknown:
            say(f"{name}: what it needs is not known; `schoolwatch check` says what is wrong with it")
        raise typer.Exit(1 if unknown else 0)
    reader = load_school_reader(loaded, folder)
    print(
        f"{loaded.school.name}: {len(loaded.people)} people, {len(loaded.policy.book.rules)} rules\n"
        f"calendar of {loaded.school.nation} known to {loaded.calendar.horizon:%d %B %Y}\n"
        f"classifier {reader.name} {reader.version}"
    )
    _print_table(examined)
    _print_section("Good to know", _notes(examined))
    warnings = (*loaded.warnings, *reader.notes, *_ending(examined, datetime.now(UTC)))
    _print_section("Warnings", warnings)
    faults = [f"{what} CANNOT WORK: {why}" for what, why in what_is_missing(loaded, folder).items()]
    if reader.problem:
        faults.append(f"the classifier CANNOT BE LOADED, the word list reads alone: {reader.problem}")
    faults += _unread({**loaded.problems, **{one.account.id: one.problem for one in examined if one.problem}})
    faults += [
        f"{one.account.id}: ITS TOKEN LACKS {', '.join(one.access.lacks)}: docs/connectors.md says how to get that"
        for one in examined
        if one.access.lacks
    ]
    _print_section("To be mended, before `schoolwatch check` is run again", faults)
    if not faults:
        print(f"\nAll is well{', as far as can be said without asking the platforms (--offline)' * offline}.")
    raise typer.Exit(1 if faults else 0)


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


def _print_table(examined: Sequence[Examined]) -> None:
    table = Table(box=ASCII2, show_lines=True)
    table.add_column("account", no_wrap=True)
    table.add_column("what it does", ratio=1)
    table.add_column("token", overflow="fold", ratio=1)
    table.add_column("", no_wrap=True)
    for one in examined:
        table.add_row(
            f"{one.account.id}\n{one.account.connector}, {one.account.channel}",
            "\n".join(_abilities(one.can)) if one.can else "?",
            "\n".join(_token(one)),
            "!!" if one.problem or one.access.lacks else "ok",
        )
    Console(width=_width(), color_system=None, highlight=False, markup=False, emoji=False).print(table)


def _abilities(can: Capabilities) -> list[str]:
    """What the account can do, one thing a line."""
    seen = {"edits": can.edits, "deletions": can.deletions, "what is hidden or held": can.hidden}
    told = [
        f"reads: {', '.join(can.reads)}",
        f"sees: {', '.join(what for what, is_seen in seen.items() if is_seen) or 'neither edits nor deletions'}",
        f"does: {', '.join(can.acts) or 'nothing there'}",
    ]
    if can.budget:
        told.append(f"limit: {can.budget.cap:,g} {can.budget.unit} a {can.budget.period}")
    return told


def _token(one: Examined) -> list[str]:
    """What is to be known of the account's secrets, one thing a line."""
    if one.problem:
        told = [one.problem.partition(";")[0]]
    else:
        told = [f"lacks {permission}" for permission in one.access.lacks]
        told += [f"{what} ends {when:%d %B %Y}" for what, when in sorted(one.access.ends.items())]
    if one.can and one.can.needs:
        told.append(f"needs {', '.join(one.can.needs)}")
    return told


def _notes(examined: Sequence[Examined]) -> list[str]:
    """What to know of the accounts, once where it is true of several."""
    return _grouped(
        (note, one.account.id)
        for one in examined
        for note in (*(one.can.notes if one.can else ()), *one.access.notes)
    )


def _ending(examined: Sequence[Examined], now: datetime) -> list[str]:
    return [
        f"{one.account.id}: {what} ends {when:%d %B %Y}: renew it before that (docs/connectors.md)"
        for one in examined
        for what, when in sorted(one.access.ends.items())
        if when - now <= timedelta(days=WARN_DAYS[0])
    ]


def _unread(problems: Mapping[str, str]) -> list[str]:
    return _grouped((f"CANNOT BE READ: {problem}", account) for account, problem in problems.items())


def _grouped(told: Iterable[tuple[str, str]]) -> list[str]:
    """Each text once, after all accounts of which it is told."""
    accounts: dict[str, list[str]] = {}
    for text, account in told:
        accounts.setdefault(text, []).append(account)
    return [f"{', '.join(names)}: {text}" for text, names in accounts.items()]


def _print_section(heading: str, lines: Sequence[str]) -> None:
    """Lines of any length, broken between words where the terminal ends: names are copied from here."""
    if lines:
        print(f"\n{heading}:")
    for line in lines:
        print(
            fill(
                line,
                _width(),
                initial_indent="  ",
                subsequent_indent="      ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        )


def _width() -> int:
    return get_terminal_size((WIDTH, 24)).columns
