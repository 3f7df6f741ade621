"""Commands about files of comments: score them, date them, take them in."""

import json
from datetime import UTC, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Annotated, get_args

import typer

from classifiers.jsonl import LineError, classify_lines
from connectors.archive import read_file
from monitor.bootstrap import load_reader, load_school_reader, open_store, rule_book
from monitor.cli.console import ConfigFolder, DataFolder, app, data_of, lines_of, say
from monitor.config import Nation, default_folder, load_calendar, load_config, load_people
from monitor.domain.account import Account
from monitor.domain.calendar import Calendar
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.deadline import deadline_for
from monitor.domain.errors import ConfigError
from monitor.domain.item import Channel
from monitor.pipeline import classify as classify_stage
from monitor.pipeline import triage as triage_stage


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
    with lines_of(file) as lines:
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
    with lines_of(file) as lines:
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


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="JSON lines or CSV: text and, if known, id, platform, author, …")],
    config: ConfigFolder,
    data: DataFolder = None,
    channel: Annotated[
        Channel, typer.Option(help="For lines that do not say where they are from.")
    ] = Channel.OFFICIAL,
) -> None:
    """Take in comments from a file. Undated ones, and those from before going live, are history."""
    loaded = load_config(config)
    account = Account(id=f"import {file.name}", connector="archive", channel=channel, name=file.name)
    reader = load_school_reader(loaded, data_of(loaded, data))
    new = known = rejected = 0
    with open_store(loaded, data_of(loaded, data)) as store:
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
