"""The classifier's speed, measured by scripts/bench in processes of their own: prints one JSON object.

speed.py reader FOLDER   the product's reader on the comments of a school (comments.jsonl and roster.yaml)
speed.py bert FOLDER     one of BERT-base's size through the transformers pipeline; random weights do for speed
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Comments that are read, and of how many at a time.
COMMENTS, BLOCK = 600, 64


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    lines = (folder / "comments.jsonl").read_text(encoding="utf-8").splitlines()[:COMMENTS]
    texts = [json.loads(line)["text"] for line in lines]
    measured = {"reader": reader, "bert": bert}[kind](texts, folder)
    print(json.dumps({"comments": len(texts), "characters": sum(map(len, texts)) / len(texts), **measured}))


def reader(texts: list[str], folder: Path) -> dict[str, float]:
    began = time.monotonic()
    import yaml

    from classifiers.reader import load_reader
    from monitor.domain.people import Person
    from monitor.domain.verdict import Comment

    entries = yaml.safe_load((folder / "roster.yaml").read_text(encoding="utf-8"))
    people = [Person(**{**entry, "aliases": tuple(entry["aliases"])}) for entry in entries]
    comments = [Comment(text=text) for text in texts]
    plain = load_reader("local", people, explains=False)
    assert plain.problem is None, plain.problem
    plain.read(comments[:1])
    loaded = time.monotonic() - began
    blocks = [comments[start : start + BLOCK] for start in range(0, len(comments), BLOCK)]
    speed = per_second(len(texts), lambda: [plain.read(block) for block in blocks])
    held = resident()
    assert "torch" not in sys.modules
    explaining = load_reader("local", people)
    explained = per_second(len(texts), lambda: [explaining.read(block) for block in blocks])
    return {"loaded_s": loaded, "per_s": speed, "explained_per_s": explained, "resident_mib": held}


def bert(texts: list[str], _folder: Path) -> dict[str, float]:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast, pipeline

    torch.set_num_threads(2)
    model = BertForSequenceClassification(BertConfig(num_labels=12)).eval()
    tokenizer = BertTokenizerFast(tokenizer_file=str(ROOT / "classifiers" / "model" / "tokenizer.json"))
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu", top_k=None)
    few = texts[:100]
    # One at a time and in batches: whichever is faster here.
    sizes = (1, 16)
    return {
        "per_s": max(
            per_second(len(few), lambda size=size: classify(few, batch_size=size, truncation=True))
            for size in sizes
        )
    }


def per_second(count: int, work: Callable[[], object]) -> float:
    """The best of three."""
    spent = []
    for _ in range(3):
        began = time.monotonic()
        work()
        spent.append(time.monotonic() - began)
    return count / min(spent)


def resident() -> float:
    """MiB that this process held at most."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


main()
