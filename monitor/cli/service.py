"""Commands about the service: run it, show it, check it."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.bootstrap import build, make_letters, make_sender, open_store
from monitor.cli.console import ConfigFolder, DataFolder, app, data_of, say
from monitor.cli.progress import shown
from monitor.config import default_folder, load_config
from monitor.demo import Demo, demo
from monitor.domain.clock import parse_instant
from monitor.domain.errors import ConfigError
from monitor.jobs import Jobs, Parts, Stages
from monitor.pipeline.digest import Edition, figures_at
from monitor.web.access import Access
from monitor.web.app import create_app
from monitor.web.desk import Desk
from monitor.web.server import DeskServer

Listen = Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where the desk answers.")]
LISTEN = "127.0.0.1:8080"


@app.command()
def run(config: ConfigFolder, data: DataFolder = None, listen: Listen = LISTEN) -> None:
    """Watch the accounts of a configuration until stopped."""
    loaded = load_config(config)
    for warning in loaded.warnings:
        say(f"warning: {warning}")
    folder = data_of(loaded, data)
    with build(loaded, folder) as parts, _desk(parts, listen):
        jobs = Jobs(Stages(parts))
        jobs.start()
        say(f"Watching {len(parts.connectors)} accounts of {loaded.school.name}. Data: {folder}. Stop: Ctrl-C.")
        _until_stopped()
        say("Stopping …")
        jobs.stop()


@app.command("demo")
def run_demo(
    data: Annotated[Path, typer.Option("--data", help="Where its data are kept.")] = Path("data"),
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
            player = threading.Thread(target=_play, args=(show, jobs), name="demo")
            player.start()
            _until_stopped()
            say("Stopping …")
            show.stop()
            player.join()
            jobs.stop()


@app.command()
def poll(config: ConfigFolder, data: DataFolder = None) -> None:
    """Read every account that is due once, and do what follows from it; exit status 1 if anything is wrong.

    A warning is printed, and is nothing wrong.
    """
    loaded = load_config(config)
    with build(loaded, data_of(loaded, data)) as parts, shown(parts.connectors) as watched:
        stages = Stages(replace(parts, connectors=watched))
        for account in stages.accounts():
            print(f"{account.id}: {stages.poll(account)} new or edited")
        stages.drain()
        with parts.store.reading() as tx:
            problems = tx.health.problems()
            failed = [
                f"{account.id}: {state.problem}"
                for account in loaded.accounts
                if (state := tx.sources.state(account.id)).problem
                and not any(one.stops_reading and one.is_about(account.id, account.credential) for one in problems)
            ]
    for line in (*failed, *(f"{one.subject}: {one.message}" for one in problems)):
        say(line)
    raise typer.Exit(1 if failed or any(one.grade != "amber" for one in problems) else 0)


@app.command()
def digest(config: ConfigFolder, data: DataFolder = None) -> None:
    """Print the digest as it would be made now; nothing is sent."""
    loaded = load_config(config)
    now = datetime.now(UTC)
    edition = Edition(at=loaded.school.digest_at, accounts=loaded.accounts, problems=loaded.problems)
    with open_store(loaded, data_of(loaded, data)) as store, store.reading() as tx:
        figures = figures_at(tx, edition, loaded.policy, now)
    letter = make_letters(loaded).write("digest", sender=make_sender(loaded), day=now, figures=figures)
    print(f"{letter.subject}\n\n{letter.text}")


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
    if not show.replay_past(_progress("Replaying the past week")):
        return
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
