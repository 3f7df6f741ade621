"""Why a comment is on the desk: the words behind each label, who is named, and what was not read at all."""

import re
from dataclasses import replace

import pytest

from monitor.domain.verdict import Label, Span
from tests.web.conftest import LEADERS_CODE, Browser
from tests.web.world import FACEBOOK, World, reading_of

POLISH = "Jutro po lekcjach czekam na ciebie"
UNREAD = "in Polish (the classifier does not read it)"


def plain(page: str) -> str:
    """A page's words without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def case_page(browser: Browser, world: World, item: int) -> str:
    return browser.get(f"/cases/{world.case_of(item).id}").text


def rows(page: str) -> dict[str, list[str]]:
    """Label -> the words that the case shows behind it."""
    found = re.findall(r"<tr><th scope=\"row\">(.*?)</th>.*?<td class=\"behind\">(.*?)</td></tr>", page, re.DOTALL)
    return {plain(label): re.findall(r"<q><bdi>(.*?)</bdi></q>", behind) for label, behind in found}


def test_each_label_stands_with_the_words_that_carried_it(browser: Browser, world: World) -> None:
    text = "Nobody answers, you useless lot, and I will find him"
    labels = {Label.COMPLAINT: "Nobody answers", Label.ABUSE: "useless lot", Label.THREAT: "I will find him"}
    item = world.say(text, *labels)
    spans = [
        Span(start=text.index(words), end=text.index(words) + len(words), label=label)
        for label, words in labels.items()
    ]
    with world.store.reading() as tx:
        stored = tx.items.get(item)
    edited = replace(stored.item, text=text + ".")
    world.read(edited, FACEBOOK, replace(reading_of(edited.text, list(labels), [], [], {}), spans=tuple(spans)))
    page = case_page(browser, world, item)
    assert rows(page) == {
        "Threat": ["I will find him"],
        "Abuse": ["useless lot"],
        "Complaint": ["Nobody answers"],
    }
    for label, words in labels.items():
        assert f'<mark class="l-{label}"' in page
        assert f">{words}</mark>" in page


def test_a_label_that_no_word_carries_says_that_it_is_the_whole(browser: Browser, world: World) -> None:
    item = world.say("Another day, another beige buffet", Label.COMPLAINT)
    page = case_page(browser, world, item)
    assert rows(page) == {"Complaint": []}
    assert "the sentence as a whole" in page


def test_the_words_behind_a_label_are_text_and_nothing_else(browser: Browser, world: World) -> None:
    words = "<img src=x onerror=alert(1)> \u202eevil"
    item = world.say(f"So {words}", Label.COMPLAINT, words=[words])
    page = case_page(browser, world, item)
    assert rows(page)["Complaint"] == ["&lt;img src=x onerror=alert(1)&gt; evil"]
    assert "<img src=x" not in page
    assert "\u202e" not in page


@pytest.mark.parametrize("path", ["/", "/items", "/digest"])
def test_the_words_behind_a_hurtful_label_are_blurred_with_the_text(
    browser: Browser, world: World, path: str
) -> None:
    world.say("I will find him", Label.THREAT, words=["find him"])
    world.make_digest()
    page = re.sub(r"<blockquote.*?</blockquote>", "", browser.get(path).text, flags=re.DOTALL)
    assert "find him" not in page


def test_names_are_shown_as_written_with_whom_they_mean_and_may_mean(browser: Browser, world: World) -> None:
    item = world.say("ask Mrs P about it", Label.QUERY, names={"Mrs P": "joan-price"})
    with world.store.reading() as tx:
        stored = tx.items.get(item)
    edited = replace(stored.item, text="ask Mrs P about that")
    reading = reading_of(edited.text, [Label.COMPLAINT], [], [], {"Mrs P": "joan-price"})
    hit = replace(reading.names[0], ambiguous_with=("rachel-price",))
    world.read(edited, FACEBOOK, replace(reading, names=(hit,), names_doubt=("rachel-price", "pauline-rose")))
    page = plain(case_page(browser, world, item))
    assert "Mrs Joan Price, headteacher · written Mrs P not certain: it may also be Miss Rachel Price" in page
    assert "Mrs Pauline Rose, lunchtime supervisor only possibly meant" in page
    assert page.count("Rachel Price") == 1


def test_what_is_in_a_language_that_is_not_read_says_so_everywhere(browser: Browser, world: World) -> None:
    item = world.say(POLISH, language="pl")
    world.make_digest()
    for path in ("/", "/digest"):
        assert f'<span class="tongue">{UNREAD}</span>' in browser.get(path).text
    page = case_page(browser, world, item)
    assert f"It is {UNREAD}" in page
    assert "In a language that is not read" in page
    assert "Ask somebody who reads the language" in page


@pytest.mark.parametrize("language", ["en", "und"])
def test_of_what_is_read_no_language_is_said(browser: Browser, world: World, language: str) -> None:
    item = world.say("Fab!", Label.QUERY, language=language)
    assert "does not read it" not in browser.get("/").text + case_page(browser, world, item)


def test_a_language_without_a_name_is_another_one(browser: Browser, world: World) -> None:
    world.say(POLISH, language="mis")
    assert "in another language (the classifier does not read it)" in browser.get("/").text


def test_a_restricted_comment_does_not_say_its_language(browser: Browser, world: World) -> None:
    world.say(POLISH, Label.SAFEGUARDING, language="pl")
    world.make_digest()
    assert "Polish" not in browser.get("/").text + browser.get("/digest").text + browser.get("/cases/1").text
    browser.unlock(LEADERS_CODE)
    assert UNREAD in browser.get("/").text


def test_what_the_word_list_read_alone_is_possible_and_says_so(browser: Browser, world: World) -> None:
    item = world.say("I will find him", Label.THREAT, words=["find him"], doubt=[Label.HATE], provisional=True)
    page = case_page(browser, world, item)
    assert "a word list read it alone and can rule out nothing" in page
    assert rows(page) == {"Threat possibly": ["find him"], "Hate possibly": []}
    assert "not ruled out" in page


def test_while_the_classifier_fails_the_queue_and_the_status_page_are_red(browser: Browser, world: World) -> None:
    world.proven_read()
    world.say("Lovely", doubt=[Label.THREAT], provisional=True)
    with world.store.transaction() as tx:
        tx.health.problem(
            "classifier", "comments are read by the word list alone: model.onnx is damaged", world.now
        )
    queue, status = browser.get("/").text, browser.get("/status").text
    assert '<p class="said bad" role="alert"><b>The classifier fails:</b>' in queue
    assert "model.onnx is damaged" in queue
    assert '<span class="light red"><i aria-hidden="true"></i>Problem</span> <b>Classifier</b>' in status
    assert "To be read again by the classifier 1" in plain(status)
    world.make_digest()
    assert "The classifier failed:" in browser.get("/digest").text


def test_a_case_that_was_read_again_says_what_came_of_it(browser: Browser, world: World) -> None:
    item = world.say("I will find him", Label.THREAT)
    case = world.case_of(item)
    with world.store.transaction() as tx:
        for labels in ([], ["threat", "abuse"]):
            detail = {"before": "words", "version": "model", "labels": labels}
            tx.cases.log(case.id, "automatic", "read_again", detail, world.now)
    page = plain(case_page(browser, world, item))
    assert "Read again, now that the classifier works · nothing found" in page
    assert "Read again, now that the classifier works · found: Threat and Abuse" in page
