"""The public sets (../shared/data, SOURCES.md there): of each, what it annotates, and no more.

`public` is what a model learns from; `official` are the test parts of those sets that publish figures, never learnt
from.
"""

import csv
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from classifiers.fold import fold
from classifiers.lexicon import load as load_lexicon
from classifiers.training.samples import LABELS, Sample, sample
from monitor.domain.verdict import Label

#: What nobody asks a bank's or an assistant's help line, nor says in thanks: negatives by construction.
RARE = (Label.THREAT, Label.HATE, Label.SEXUAL, Label.SAFEGUARDING, Label.ALLEGATION, Label.MEDIA, Label.SPAM)
#: Samples taken of each public set; all of a smaller one.
TAKE = {
    "davidson": 5000,
    "edos": 9000,
    "hatemoji": 4728,
    "toxic_spans": 8000,
    "convabuse": 2501,
    "surge_toxicity": 1000,
    "clinc150": 4000,
    "banking77": 3000,
    "goemotions": 43410,
}


#: Longer texts cost time and are unlike a school's comments.
CHARACTERS = 300


def public(root: Path, seed: int) -> list[Sample]:
    """The public sets in `root` (../shared/data), each cut to its share of TAKE, shuffled."""
    chance = random.Random(seed)
    samples: list[Sample] = []
    for name, wanted in TAKE.items():
        everything = list(_SOURCES[name](root / name))
        chance.shuffle(everything)
        everything.sort(key=_is_scarce, reverse=True)
        samples += [each for each in everything[:wanted] if len(each.text) <= CHARACTERS]
    chance.shuffle(samples)
    return samples


def official(root: Path) -> dict[str, list[Sample]]:
    """The test parts: EDOS task A (hate) and ConvAbuse (abuse) as published, a tenth of toxic_spans by number."""
    return {
        "edos": list(_edos(root / "edos", "test")),
        "toxic_spans": list(_toxic_spans(root / "toxic_spans", test=True)),
        "convabuse": list(_convabuse(root / "convabuse", "test")),
    }


def _is_scarce(each: Sample) -> bool:
    return any(each.target[LABELS.index(label)] == 1 for label in (Label.THREAT, Label.SEXUAL))


def _rows(file: Path, delimiter: str = ",") -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter=delimiter)


def _has_slur(text: str) -> bool:
    return any(found.label is Label.HATE for found in load_lexicon().find(fold(text)))


def _none_of(*labels: Label) -> dict[Label, float | bool]:
    return dict.fromkeys(labels, False)


def _asks_nothing(text: str) -> dict[Label, float | bool]:
    return {} if "?" in text else _none_of(Label.QUERY)


def _davidson(folder: Path) -> Iterator[Sample]:
    for row in _rows(folder / "labeled_data.csv"):
        hate, neither = row["class"] == "0", row["class"] == "2"
        known: dict[Label, float | bool] = {Label.HATE: hate}
        if hate or neither:  # "offensive" is often only crude
            known[Label.ABUSE] = hate
        yield sample(row["tweet"], known)


def _edos(folder: Path, split: str = "train") -> Iterator[Sample]:
    for row in _rows(folder / "edos_labelled_aggregated.csv"):
        if row["split"] != split:
            continue
        category = row["label_category"][:1]
        known: dict[Label, float | bool] = {Label.HATE: row["label_sexist"] == "sexist"}
        if known[Label.HATE]:
            known[Label.THREAT] = category == "1"
        elif split == "train" and _has_slur(row["text"]):
            known = {}  # not sexist, says the source, which looked for no other hate
        if category == "2":
            known[Label.ABUSE] = True
        yield sample(row["text"], known)


def _hatemoji(folder: Path) -> Iterator[Sample]:
    for row in _rows(folder / "HatemojiBuild_train.csv"):
        hate = row["label_gold"] == "1"
        known = {Label.HATE: hate, Label.ABUSE: hate, Label.THREAT: row["type"] == "threateninglanguage"}
        yield sample(row["text"], {**known, **_asks_nothing(row["text"])})


def _toxic_spans(folder: Path, *, test: bool = False) -> Iterator[Sample]:
    texts = {
        row["comment_id"]: row["comment_text"]
        for row in _rows(folder / "data_comments.csv")
        if (int(row["comment_id"]) % 10 == 0) == test
    }
    comment_of: dict[str, str] = {}
    annotators: dict[str, int] = defaultdict(int)
    for row in _rows(folder / "data_annotations.csv"):
        comment_of[row["annotation"]] = row["comment_id"]
        annotators[row["comment_id"]] += 1
    marks: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in _rows(folder / "data_spans.csv"):
        marks[comment_of[row["annotation"]], row["type"]].add(row["annotation"])
    kinds = {"Insult": Label.ABUSE, "Threat": Label.THREAT, "Identity based Attack": Label.HATE}
    for comment, text in texts.items():
        known: dict[Label, float | bool] = {}
        for kind, label in kinds.items():
            share = len(marks[comment, kind]) / max(1, annotators[comment])
            if share >= 0.5 or share == 0:
                known[label] = share >= 0.5
        yield sample(text, known)


def _convabuse(folder: Path, split: str = "train") -> Iterator[Sample]:
    groups = ("ableist", "homophobic", "racist", "sexist", "transphobic")
    for row in _rows(folder / f"2_splits_ConvAbuseEMNLP{split}.csv"):
        annotators = [n for n in range(1, 9) if row[f"Annotator{n}_is_abuse.1"]]

        def share(*columns: str, row: dict[str, str] = row, annotators: list[int] = annotators) -> float:
            hits = [any(row.get(f"Annotator{n}_{column}") == "1" for column in columns) for n in annotators]
            return sum(hits) / len(hits) if hits else 0.0

        yield sample(
            row["user"],
            {
                Label.ABUSE: share("is_abuse.-1", "is_abuse.-2", "is_abuse.-3") >= 0.5,
                Label.SEXUAL: share("sex_harassment") >= 0.5,
                Label.HATE: share(*groups) >= 0.5,
            },
        )


def _surge_toxicity(folder: Path) -> Iterator[Sample]:
    for row in _rows(folder / "toxicity_en.csv"):
        yield sample(row["text"], {Label.ABUSE: row["is_toxic"] == "Toxic"})


def _clinc150(folder: Path) -> Iterator[Sample]:
    everything = json.loads((folder / "data_data_full.json").read_text(encoding="utf-8"))
    for text, _intent in everything["train"] + everything["oos_train"]:
        asks = text.split(" ", 1)[0] in _ASKING
        known = {**_none_of(*RARE, Label.ABUSE), **({Label.QUERY: True} if asks else {})}
        yield sample(text + "?" if asks and len(text) % 2 else text, known)


def _banking77(folder: Path) -> Iterator[Sample]:
    for row in _rows(folder / "banking_data_train.csv"):
        asks = row["text"].rstrip().endswith("?")
        yield sample(row["text"], {**_none_of(*RARE, Label.ABUSE), **({Label.QUERY: True} if asks else {})})


def _goemotions(folder: Path) -> Iterator[Sample]:
    names = (folder / "data_original_labels.txt").read_text(encoding="utf-8").split()
    for line in (folder / "data_original_train.tsv").read_text(encoding="utf-8").splitlines():
        text, numbers, _ = line.rsplit("\t", 2)
        emotions = {names[int(number)] for number in numbers.split(",")}
        known: dict[Label, float | bool] = {}
        if emotions <= _KINDLY:
            known = {**_none_of(*RARE, Label.ABUSE, Label.COMPLAINT), **_asks_nothing(text)}
        elif "curiosity" in emotions and "?" in text:
            known = _none_of(Label.SPAM, Label.MEDIA, Label.SAFEGUARDING, Label.ALLEGATION)
        yield replace(sample(text, known), emotions=tuple(float(name in emotions) for name in names))


_ASKING = frozenset({
    "what", "when", "where", "which", "who", "how", "why", "can", "could", "would", "is", "are", "do", "does",
    "did", "will", "should",
})  # fmt: skip
_KINDLY = frozenset({
    "admiration", "amusement", "caring", "excitement", "gratitude", "joy", "love", "optimism", "pride", "relief",
})  # fmt: skip
_SOURCES = {
    "davidson": _davidson,
    "edos": _edos,
    "hatemoji": _hatemoji,
    "toxic_spans": _toxic_spans,
    "convabuse": _convabuse,
    "surge_toxicity": _surge_toxicity,
    "clinc150": _clinc150,
    "banking77": _banking77,
    "goemotions": _goemotions,
}
