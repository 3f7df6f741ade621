"""Commands about how good the classifier is."""

from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from classifiers.evaluate import evaluate as evaluate_readings
from classifiers.labelled import read_labelled
from classifiers.report import confusions, picture, table
from monitor.bootstrap import load_reader
from monitor.cli.console import app, lines_of, say
from monitor.config import default_folder, load_people

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
    with lines_of(file) as lines:
        labelled = read_labelled(lines)
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
