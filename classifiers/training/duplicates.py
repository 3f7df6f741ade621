"""Near-duplicates among the written comments: `python -m classifiers.training.duplicates [--remove]`.

Two comments that say one thing in nearly the same words teach once and, on either side of a split, flatter.
"""

import argparse
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from classifiers.training.written import COMMENTS, Written, written

#: Letters in a shingle, and the share of shingles in common (Jaccard) from which two texts are one.
SHINGLE = 5
ALIKE = 0.5
#: So few words ("same here x") may stand below different comments, where they mean different things.
FEW = 5
#: A shingle in more texts than this says nothing ("the s", " of t").
COMMON = 150

_GAP = re.compile(r"[\W_]+")


def near_duplicates(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs (earlier, later) of places in `texts` that are alike; texts without a letter only when equal."""
    shingles = [_shingles(text) for text in texts]
    at: dict[str, list[int]] = defaultdict(list)
    for index, mine in enumerate(shingles):
        shared = Counter(other for shingle in mine if len(at[shingle]) <= COMMON for other in at[shingle])
        for other, _ in shared.most_common(5):
            if len(mine & shingles[other]) >= ALIKE * len(mine | shingles[other]):
                yield other, index
                break
        for shingle in mine:
            at[shingle].append(index)


def repeated(comments: Sequence[Written]) -> list[tuple[Written, Written]]:
    """Comments that repeat an earlier one. Twins, alike in words and labelled differently on purpose, do not; nor
    do a few words below another comment.
    """
    pairs = [(comments[a], comments[b]) for a, b in near_duplicates([each.text for each in comments])]
    return [
        (first, second)
        for first, second in pairs
        if first.labels == second.labels and (first.parent == second.parent or len(second.text.split()) > FEW)
    ]


def _shingles(text: str) -> frozenset[str]:
    plain = _GAP.sub(" ", text.lower()).strip()
    if not plain:
        return frozenset({text})
    return frozenset(plain[i : i + SHINGLE] for i in range(max(1, len(plain) - SHINGLE + 1)))


def main() -> None:
    options = argparse.ArgumentParser(description="List near-duplicates among the written comments.")
    options.add_argument("--remove", action="store_true", help="take the later of each pair out of its file")
    remove: bool = options.parse_args().remove
    comments = written()
    pairs = repeated(comments)
    for first, second in pairs:
        print(f"{first.id} {first.text[:70]!r}\n  {second.id} {second.text[:70]!r}")
    print(f"{len(pairs)} near-duplicates among {len(comments)} comments")
    if remove:
        _remove({second.id for _, second in pairs}, COMMENTS)


def _remove(ids: set[str], root: Path) -> None:
    for file in root.glob("*/comments.jsonl"):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not any(f'"{each}"' in line for each in ids)]
        file.write_text("".join(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
