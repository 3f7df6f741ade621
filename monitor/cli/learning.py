"""Commands about how good the classifier is, and how it learns from a school's corrections."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from classifiers import local
from classifiers.evaluate import evaluate as evaluate_readings
from classifiers.labelled import Labelled, read_labelled
from classifiers.names import Names
from classifiers.reader import SchoolReader
from classifiers.replay import changes, too_much
from classifiers.report import comparison, confusions, picture, replayed, table
from classifiers.safety import safety_cases
from classifiers.trial import KEPT, Trial, try_tuning
from classifiers.tuning import Tuning, TuningError
from monitor.bootstrap import (
    TUNABLE,
    classifier_options,
    load_reader,
    load_school_reader,
    open_store,
    school_tunings,
)
from monitor.cli.console import ConfigFolder, DataFolder, app, data_of, lines_of, say
from monitor.config import Config, default_folder, load_config, load_people
from monitor.domain.errors import ConfigError
from monitor.domain.verdict import Comment
from monitor.store.readings import Waiting

RESTART = "The service takes it up when it is started again."
#: Fewer comments would not show what else a tuning changes.
FEWEST_REPLAYED = 100
#: Comments that are read between two steps of the progress bar.
BLOCK = 64


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help="JSON lines with id, text, labels and, if known, names, parent.")],
    roster: Annotated[
        Path | None,
        typer.Option(
            help="The roster; default: roster.yaml beside the file, else the configuration's people.yaml."
        ),
    ] = None,
    picture_file: Annotated[
        Path, typer.Option("--picture", help="Where to write precision against recall, as PNG.")
    ] = Path("evaluation.png"),
    classifier: Annotated[str, typer.Option(help="Which classifier.")] = "local",
) -> None:
    """Say how good the classifier is on labelled comments: figures with intervals, worst mistakes, a picture."""
    beside = file.with_name("roster.yaml")
    people = load_people(roster or (beside if beside.exists() else default_folder() / "people.yaml"))
    labelled = _labelled(file)
    reader = load_reader(people, classifier, explains=False)
    readings = []
    for start in tqdm(range(0, len(labelled), BLOCK), "reading", disable=None, unit="block"):
        readings += reader.read([each.comment for each in labelled[start : start + BLOCK]])
    if reader.problem:
        say(f"the word list read alone: {reader.problem}")
    measured = evaluate_readings(labelled, readings)
    print(f"{len(labelled)} comments, classifier {reader.name} {reader.version}; 95 % bootstrap intervals\n")
    print(table(measured), confusions(measured), sep="\n\n")
    picture(measured, picture_file)
    say(f"precision against recall: {picture_file}")


@app.command()
def tune(
    config: ConfigFolder,
    file: Annotated[
        Path | None,
        typer.Argument(help="Corrected comments: JSON lines with id, text, labels and, if known, parent."),
    ] = None,
    data: DataFolder = None,
    replay: Annotated[
        int, typer.Option(min=FEWEST_REPLAYED, help="How many of the last comments to read both ways.")
    ] = 500,
    apply: Annotated[bool, typer.Option("--apply", help="Use what was learnt, if nothing is against it.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Go back to the tuning before, or to none.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Say what is in use.")] = False,
) -> None:
    """Learn from corrections, show what would change, and with --apply make it so. Exit status 1 if refused."""
    if (file is not None) + undo + status != 1:
        raise typer.BadParameter("give a file of corrected comments, or --undo, or --status")
    loaded = load_config(config)
    if loaded.school.classifier != TUNABLE:
        raise ConfigError(f"the classifier {loaded.school.classifier!r} cannot be tuned, only {TUNABLE!r} can")
    folder = data_of(loaded, data)
    tunings = school_tunings(folder)
    if file is None:
        if undo:
            print(f"Put aside as {tunings.undo().name}. {RESTART}")
        raise typer.Exit(_status(loaded, folder))
    replayed_on, ordinary = _latest(loaded, folder, replay)
    trial = _try(_labelled(file), [one.comment for one in ordinary], loaded)
    if trial.against or _replay(replayed_on, trial.tuning, loaded, folder):
        raise typer.Exit(1)
    if apply:
        print(f"\nKept as {tunings.keep(trial.tuning).name}; --undo goes back. {RESTART}")
    else:
        print("\nNothing was changed. The same command with --apply makes it so.")


def _labelled(file: Path) -> list[Labelled]:
    with lines_of(file) as lines:
        return read_labelled(lines)


def _latest(loaded: Config, folder: Path, count: int) -> tuple[list[Waiting], list[Waiting]]:
    """The last `count` comments that were read, to be read again; as many before them, to be left as they are."""
    with open_store(loaded, folder) as store, store.reading() as tx:
        latest = tx.readings.latest(2 * count)
    if len(latest) < 2 * FEWEST_REPLAYED:
        raise TuningError(
            f"{len(latest)} comments were read so far, and {2 * FEWEST_REPLAYED} are needed to see what else would "
            "change; `schoolwatch import` takes in older ones"
        )
    return latest[: len(latest) // 2], latest[len(latest) // 2 :]


def _try(labelled: list[Labelled], ordinary: list[Comment], loaded: Config) -> Trial:
    """Learn, say what was measured and what is against it."""
    trial = try_tuning(
        labelled,
        ordinary,
        local.load(**classifier_options(loaded)),
        Names(loaded.people),
        datetime.now(UTC),
        lambda parts: tqdm(parts, "learning", disable=None, unit="part"),
    )
    print(
        f"{trial.tuning.comments} different comments in parts. Each part was held back once and read by a tuning "
        f"fitted to the others.\nLearnt, there being enough of them: {', '.join(trial.labels) or 'nothing'}"
    )
    for objection in trial.spared:
        print(f"Left as it was: {objection.label}, because {objection}")
    print(f"\n{comparison(trial.before, trial.after, KEPT)}\n")
    print(f"{len(safety_cases())} safety cases were read with the tuning fitted to all.")
    _refuse(trial.against)
    return trial


def _replay(latest: list[Waiting], tuning: Tuning, loaded: Config, folder: Path) -> list[str]:
    """Say what would change in the `latest` comments, by id and link; give back what is against it."""
    comments = [one.comment for one in latest]
    model = local.load(**classifier_options(loaded), tuning=tuning)
    before = load_school_reader(loaded, folder, explains=False).read(comments)
    after = SchoolReader(model, Names(loaded.people), explains=False).read(comments)
    found = list(changes(before, after))
    print(f"\nThe last {len(comments)} comments, read with what is in use now and with this tuning:\n")
    print(replayed(found, [f"{one.item.id}  {one.item.item.url or ''}" for one in latest]))
    return _refuse(too_much(found, before))


def _refuse(reasons: Iterable[str]) -> list[str]:
    told = list(reasons)
    for reason in told:
        print(f"REFUSED: {reason}")
    return told


def _status(loaded: Config, folder: Path) -> int:
    """Say what is in use; 1 if there is a tuning that cannot be used."""
    reader = load_school_reader(loaded, folder, explains=False)
    print(f"classifier {reader.name} {reader.version}")
    for note in reader.notes:
        print(note)
    if reader.notes:
        return 1
    tuning = school_tunings(folder).in_use()
    if tuning is None:
        print("It is used as it was shipped.")
        return 0
    print(f"It is tuned: {tuning.comments} corrections, {tuning.made_at:%d %B %Y %H:%M} UTC. Measured then:")
    for name, (before, after) in tuning.figures.items():
        print(f"  {name}: {before:.3f} before, {after:.3f} after")
    return 0
