"""What every kind of classifier promises, whatever it is given to read: kinds() says which there are."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import classifiers
from classifiers.jsonl import classify_lines
from classifiers.names import Names
from classifiers.reader import SchoolReader
from classifiers.threshold import Scorer
from monitor.config import Config
from monitor.domain.verdict import Comment, Label, Scores
from tests.contract.tiny import save_tiny, torch

LONG = 100_000
ODD = {
    "empty": "",
    "only spaces": " \t\r\n \u00a0\u2003",
    "one endless word": "a" * LONG,
    "100,000 characters of words": ("you are an idiot. " * LONG)[:LONG],
    "100,000 characters without a space": "学" * LONG,
    "letters under marks": "x\u0301\u0302" * (LONG // 3),
    "half a pair": "so \ud83d sorry \udc00",
    "only half pairs": "\ud800\udfff" * 500,
    "only emoji": "❤️😂👩‍👩‍👧🏴󠁧󠁢󠁷󠁬󠁳󠁿",
    "a great many emoji": "❤️😂" * 20_000,
    "only a link": "https://example.org/a?b=c#d",
    "Arabic": "المدرسة مغلقة اليوم",
    "Bengali": "স্কুল কি খোলা",
    "NUL and controls": "what\x00time\x07is\x1bthe\x7ffair\x9f",
    "turned round": "\u202eidiot na era uoy\u202c",
    "no break": "\u2060\ufeff\u200b" * 1000,
    "brackets of a tokenizer": "[CLS] [SEP] [MASK] <s> </s> <|endoftext|>" * 50,
}
SOME = (
    "What time is the fair?",
    "You are an idiot and everybody knows it!",
    "",
    "Lovely show. " * 60,
    "❤️",
    "She comes to school hungry and in the same clothes every day",
)


@pytest.fixture(scope="module", params=classifiers.kinds())
def scorer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scorer]:
    """Each kind in turn, hub with a tiny random model."""
    options: dict[str, object] = {}
    if request.param == "hub":
        torch()
        folder = save_tiny(tmp_path_factory.mktemp("hub"), ["toxic", "question", "other"])
        options = {"model": folder, "labels": {"toxic": "abuse", "question": "query", "other": None}}
    yield classifiers.load(request.param, **options)


def is_an_answer(scores: Scores) -> bool:
    return set(scores) == set(Label) and all(0 <= score <= 1 for score in scores.values())


def near(scores: Scores) -> object:
    return pytest.approx(dict(scores), abs=2e-4)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.timeout(120)
def test_any_text_gets_a_probability_for_every_label(scorer: Scorer, text: str) -> None:
    (scores,) = scorer.score([Comment(text=text)])
    assert is_an_answer(scores)


@pytest.mark.timeout(120)
def test_any_text_may_stand_above_a_comment(scorer: Scorer) -> None:
    comments = [Comment(text="He deserves it", parent=parent) for parent in ODD.values()]
    assert all(is_an_answer(scores) for scores in scorer.score(comments))


def test_there_are_as_many_answers_as_comments(scorer: Scorer) -> None:
    assert scorer.score([]) == []
    answers = scorer.score([Comment(text="")] * 1000)
    assert len(answers) == 1000
    assert all(answer == near(answers[0]) for answer in answers)


def test_a_comment_scores_the_same_alone_in_company_and_again(scorer: Scorer) -> None:
    comments = [Comment(text=text) for text in SOME]
    together = scorer.score(comments)
    for comment, scores in zip(comments, together, strict=True):
        assert scorer.score([comment])[0] == near(scores)
    for scores, again in zip(together[::-1], scorer.score(comments[::-1]), strict=True):
        assert again == near(scores)


def test_several_threads_may_ask_at_once(scorer: Scorer) -> None:
    comments = [Comment(text=text) for text in SOME]
    expected = scorer.score(comments)
    with ThreadPoolExecutor(4) as threads:
        for answers in threads.map(scorer.score, [comments] * 12):
            assert all(mine == near(theirs) for mine, theirs in zip(answers, expected, strict=True))


def test_it_says_who_it_is_and_what_its_scores_mean(scorer: Scorer) -> None:
    assert scorer.name in classifiers.kinds()
    assert scorer.version
    assert set(scorer.thresholds) == set(Label)


def test_the_reader_over_it_answers_every_line_and_points_into_its_text(scorer: Scorer, example: Config) -> None:
    reader = SchoolReader(scorer, Names(example.people))
    texts = [*ODD.values(), *SOME]
    for text, reading in zip(texts, reader.read([Comment(text=text) for text in texts]), strict=True):
        assert all(0 <= span.start < span.end <= len(text) for span in (*reading.spans, *reading.names))
        assert is_an_answer(reading.scores)
        assert not reading.provisional
    lines = [json.dumps({"id": number, "text": text}) for number, text in enumerate(texts)]
    results = [result for result in classify_lines(lines, reader) if isinstance(result, dict)]
    assert [result["id"] for result in results] == list(range(len(texts)))
    assert reader.problem is None
