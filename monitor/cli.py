"""The `schoolwatch` command."""

import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Annotated, get_args

import typer

from classifiers.jsonl import LineError, classify_lines
from connectors.archive import read_file
from monitor import __version__
from monitor.bootstrap import build, connect, load_reader, make_letters, make_sender, open_store, rule_book
from monitor.config import Nation, default_folder, load_calendar, load_config, load_people
from monitor.demo import Demo, demo
from monitor.domain.account import Account
from monitor.domain.calendar import Calendar
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.deadline import deadline_for
from monitor.domain.errors import ConfigError, MonitorError
from monitor.domain.item import Channel
from monitor.jobs import Jobs, Parts, Stages
from monitor.pipeline import classify as classify_stage
from monitor.pipeline import triage as triage_stage
from monitor.pipeline.digest import Edition, figures_at
from monitor.web.access import Access
from monitor.web.app import create_app
from monitor.web.desk import Desk
from monitor.web.server import DeskServer

app = typer.Typer(help="Looks after a school's social media accounts.", no_args_is_help=True, add_completion=False)

ConfigFolder = Annotated[
    Path, typer.Option("--config", help="The school's configuration folder.", default_factory=default_folder)
]
DataFolder = Annotated[Path, typer.Option("--data", help="Where the database and the evidence are kept.")]
Listen = Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where the desk answers.")]
DATA, LISTEN = Path("data"), "127.0.0.1:8080"


def main() -> None:
    """Run the command; a MonitorError is one clear line and exit status 1."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        app()
    except MonitorError as error:
        say(f"schoolwatch: {error}")
        sys.exit(1)


def say(text: str) -> None:
    """To the person at the console; stdout is for results."""
    print(text, file=sys.stderr, flush=True)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"schoolwatch {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Looks after a school's social media accounts: nothing seen is lost, no deadline passes in silence."""


@app.command()
def run(config: ConfigFolder, data: DataFolder = DATA, listen: Listen = LISTEN) -> None:
    """Watch the accounts of a configuration until stopped."""
    loaded = load_config(config)
    for warning in loaded.warnings:
        say(f"warning: {warning}")
    with build(loaded, data) as parts, _desk(parts, listen):
        jobs = Jobs(Stages(parts))
        jobs.start()
        say(f"Watching {len(parts.connectors)} accounts of {loaded.school.name}; data in {data}. Stop with Ctrl-C.")
        _until_stopped()
        say("Stopping …")
        jobs.stop()


@app.command("demo")
def run_demo(
    data: DataFolder = DATA,
    once: Annotated[
        bool, typer.Option("--once", help="Run the whole world through, print a summary, stop.")
    ] = False,
    listen: Listen = LISTEN,
    present: Annotated[
        str | None, typer.Option(help="The world's present (RFC 3339) in a new data folder; default now.")
    ] = None,
) -> None:
    """Show the whole job on an example school, against sandbox platforms on this computer."""
    started = time.monotonic()
    desk = f"http://{listen}"
    with demo(load_config(default_folder()), data, present=_instant(present), desk=desk) as show:
        if once:
            show.replay_all(_progress("Running the demo's world through"))
            print(json.dumps(show.summary(time.monotonic() - started)))
            return
        with _desk(show.parts, listen, _demo_notice(show)):
            say("This is the example school. Its platforms are a sandbox on this computer; nothing leaves it.")
            jobs = Jobs(show.stages)
            threading.Thread(target=_play, args=(show, jobs), name="demo", daemon=True).start()
            _until_stopped()
            say("Stopping …")
            jobs.stop()


@app.command()
def check(config: ConfigFolder) -> None:
    """Validate a configuration and say what each account can do. Exit status 1 if an account cannot be used."""
    loaded = load_config(config)
    print(
        f"{loaded.school.name}: {len(loaded.people)} people, {len(loaded.policy.book.rules)} rules, "
        f"calendar of {loaded.school.nation} known to {loaded.calendar.horizon:%d %B %Y}"
    )
    for warning in loaded.warnings:
        print(f"  warning: {warning}")
    broken = dict(loaded.problems)
    for account in loaded.accounts:
        try:
            can = connect(account).capabilities()
        except ConfigError as error:
            broken[account.id] = str(error)
            continue
        print(f"  {account.id} ({account.connector}, {account.channel}): {account.name}")
        print(f"    reads: {', '.join(can.reads)}")
        print(
            f"    sees edits: {_yes(can.edits)}; sees deletions: {_yes(can.deletions)}; "
            f"can act: {', '.join(can.acts) or 'no'}"
        )
        for note in can.notes:
            print(f"    note: {note}")
    for name, problem in broken.items():
        print(f"  {name}: CANNOT BE READ: {problem}")
    raise typer.Exit(1 if broken else 0)


@app.command()
def poll(config: ConfigFolder, data: DataFolder = DATA) -> None:
    """Read every account that is due once, and do what follows from it."""
    with build(load_config(config), data) as parts:
        stages = Stages(parts)
        for account in stages.accounts():
            print(f"{account.id}: {stages.poll(account)} new or edited")
        stages.drain()
        with parts.store.reading() as tx:
            problems = [f"{state.account}: {state.problem}" for state in tx.sources.states() if state.problem]
            problems += [f"{problem.subject}: {problem.message}" for problem in tx.health.problems()]
    for line in problems:
        say(line)
    raise typer.Exit(1 if problems else 0)


@app.command()
def classify(
    file: Annotated[
        Path, typer.Argument(help="JSON lines with id, text and, if known, platform, channel, parent.")
    ],
    roster: Annotated[
        Path | None, typer.Option(help="The roster; default: the configuration's people.yaml.")
    ] = None,
    classifier: Annotated[str, typer.Option(help="Which classifier.")] = "local",
) -> None:
    """Score comments: one JSON object a line, in input order."""
    people = load_people(roster or default_folder() / "people.yaml")
    reader = load_reader(people, classifier, explains=False)
    failed = False
    with _lines(file) as lines:
        for result in classify_lines(lines, reader):
            if isinstance(result, LineError):
                say(str(result))
                failed = True
            else:
                print(json.dumps(result))
    if reader.problem:
        say(f"the word list read alone: {reader.problem}")
    raise typer.Exit(1 if failed else 0)


@app.command()
def deadline(
    received: Annotated[str | None, typer.Argument(help="An instant, RFC 3339.")] = None,
    file: Annotated[Path | None, typer.Option(help="JSON lines with `received`.")] = None,
    config: Annotated[Path | None, typer.Option(help="Use this school's own calendar.")] = None,
    nation: Annotated[str, typer.Option(help=f"One of {', '.join(get_args(Nation))}.")] = "england",
    closes: Annotated[str, typer.Option(help="When school closes.")] = "17:00",
    timezone: Annotated[str, typer.Option(help="The school's time zone.")] = "Europe/London",
) -> None:
    """Say when an answer would be due, and why (default: England and Wales, 17:00)."""
    calendar = load_config(config).calendar if config else _plain_calendar(nation, timezone, closes)
    if received is not None:
        print(json.dumps(_due(parse_instant(received), calendar), ensure_ascii=False))
        return
    if file is None:
        raise typer.BadParameter("give an instant, or --file with JSON lines")
    failed = False
    with _lines(file) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    print(
                        json.dumps(_due(parse_instant(json.loads(line)["received"]), calendar), ensure_ascii=False)
                    )
                except (ValueError, KeyError, TypeError) as error:
                    say(f"line {number}: no readable `received` ({error})")
                    failed = True
    raise typer.Exit(1 if failed else 0)


@app.command()
def digest(config: ConfigFolder, data: DataFolder = DATA) -> None:
    """Print the digest as it would be made now; nothing is sent."""
    loaded = load_config(config)
    now = datetime.now(UTC)
    edition = Edition(at=loaded.school.digest_at, accounts=loaded.accounts, problems=loaded.problems)
    with open_store(loaded, data) as store, store.reading() as tx:
        figures = figures_at(tx, edition, now)
    letter = make_letters(loaded).write("digest", sender=make_sender(loaded), day=now, figures=figures)
    print(f"{letter.subject}\n\n{letter.text}")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="JSON lines or CSV: text and, if known, id, platform, author, …")],
    config: ConfigFolder,
    data: DataFolder = DATA,
    channel: Annotated[
        Channel, typer.Option(help="For lines that do not say where they are from.")
    ] = Channel.OFFICIAL,
) -> None:
    """Take in comments from a file. Undated ones, and those from before going live, are history."""
    loaded = load_config(config)
    account = Account(id=f"import {file.name}", connector="archive", channel=channel, name=file.name)
    reader = load_reader(loaded.people, loaded.school.classifier)
    new = known = rejected = 0
    with open_store(loaded, data) as store:
        for page in read_file(file, channel=channel, timezone=loaded.school.timezone):
            with store.transaction() as tx:
                saved = tx.items.save(page.items, account, datetime.now(UTC), loaded.school.go_live)
                tx.items.reject(account, page.rejects, datetime.now(UTC))
            new, known, rejected = new + saved.new, known + saved.known + saved.edited, rejected + len(page.rejects)
            for reject in page.rejects:
                say(f"{file.name}: {reject.reason}")
            say(f"{new + known} read …")
        while classify_stage.run(store, reader, datetime.now(UTC)):
            pass
        while triage_stage.run(store, rule_book(loaded), datetime.now(UTC)):
            pass
    print(json.dumps({"new": new, "known": known, "rejected": rejected}))
    raise typer.Exit(1 if rejected else 0)


@contextmanager
def _desk(parts: Parts, listen: str, notices: Callable[[], Sequence[str]] = tuple) -> Iterator[None]:
    host, port = _address(listen)
    access = Access.at(host, parts.config.school.public_url)
    desk = Desk(
        store=parts.store, vault=parts.vault, config=parts.config, clock=parts.clock, access=access, notices=notices
    )
    server = DeskServer(create_app(desk), host, port)
    server.start()
    try:
        say(f"The desk is open: {server.url}")
        if access.desk_code:
            say(f"  Access code: {access.desk_code}")
        say(f"  Leaders' code, for confidential cases: {access.leaders_code}")
        yield
    finally:
        server.stop()


def _play(show: Demo, jobs: Jobs) -> None:
    """Replay what is past, then watch what still comes."""
    show.replay_past(_progress("Replaying the past week"))
    say("The past week is on the desk. A few more comments arrive over the next minutes; stop with Ctrl-C.")
    jobs.start()


def _demo_notice(show: Demo) -> Callable[[], Sequence[str]]:
    def sentences() -> Sequence[str]:
        now = show.clock.now()
        what = "This is a demo of an invented school; its platforms are a sandbox on this computer."
        return (what, f"It is replaying the past week, now at {now:%A %H:%M}.") if now < show.present else (what,)

    return sentences


def _progress(what: str) -> Callable[[datetime], None]:
    day = ""

    def show(moment: datetime) -> None:
        nonlocal day
        if (today := f"{moment:%A %d %B}") != day:
            day = today
            say(f"  {what}: {day}")

    return show


def _until_stopped() -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(f"--listen {listen!r} is not HOST:PORT, such as 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def _instant(text: str | None) -> datetime | None:
    try:
        return parse_instant(text) if text else None
    except ValueError as error:
        raise ConfigError(f"{text!r} is not an instant such as 2026-11-21T09:00:00Z") from error


def _plain_calendar(nation: str, timezone: str, closes: str) -> Calendar:
    known: dict[str, Nation] = {name: name for name in get_args(Nation)}
    if nation not in known:
        raise ConfigError(f"--nation {nation!r}: choose from {', '.join(known)}")
    try:
        closing = time_of_day.fromisoformat(closes)
    except ValueError as error:
        raise ConfigError(f"--closes {closes!r} is not a time such as 17:00") from error
    path = default_folder() / "calendar.yaml"
    return load_calendar(path, known[nation], timezone, closing, closures=False)


def _due(received: datetime, calendar: Calendar) -> dict[str, str]:
    due = deadline_for(received, calendar)
    return {"received": format_instant(received), "due": format_instant(due.due_at), "because": due.because}


@contextmanager
def _lines(file: Path) -> Iterator[Iterator[str]]:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            yield iter(lines)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error


def _yes(value: bool) -> str:
    return "yes" if value else "no"
