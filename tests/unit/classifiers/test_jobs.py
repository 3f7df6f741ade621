"""Taking a role of the roster apart into jobs."""

import pytest

from classifiers.jobs import Job, jobs_of, wordings


@pytest.mark.parametrize(
    ("role", "jobs"),
    [
        ("headteacher", [((), "headteacher")]),
        ("Year 4 teacher", [(("year", "4"), "teacher")]),
        ("Reception class teacher", [(("reception",), "teacher")]),
        ("history and RE teacher", [(("history",), "teacher"), (("re",), "teacher")]),
        ("vicar and chair of governors", [((), "vicar"), ((), "chair of governors")]),
        ("teaching assistant in year 4", [(("year", "4"), "teaching assistant")]),
        (
            "teaching assistant, Year 5 and 6",
            [(("year", "5"), "teaching assistant"), (("year", "6"), "teaching assistant")],
        ),
        ("assistant head, behaviour", [((), "assistant head"), (("behaviour",), "assistant head")]),
        ("attendance and exams officer", [(("attendance",), "officer"), (("exams",), "officer")]),
        (
            "breakfast and after-school club manager",
            [(("breakfast", "club"), "manager"), (("after", "school", "club"), "manager")],
        ),
        ("", []),
        (", and of", []),
    ],
)
def test_a_role_is_one_job_or_several(role: str, jobs: list[tuple[tuple[str, ...], str]]) -> None:
    assert [(job.area, " ".join(job.noun)) for job in jobs_of(role)] == jobs


def test_who_heads_something_is_head_of_it() -> None:
    assert jobs_of("head of maths") == [Job(("maths",), ("head",), heads=True)]


def test_words_that_say_man_or_woman_are_for_them_only() -> None:
    (job,) = jobs_of("headteacher")
    his = {" ".join(said) for said, _ in wordings(job, "man")}
    assert "headmaster" in his
    assert "headmistress" not in his


def test_a_language_is_no_area_of_a_person() -> None:
    (job,) = jobs_of("Spanish teacher")
    said = {" ".join(words) for words, _ in wordings(job, "woman")}
    assert "spanish teacher" in said
    assert "spanish woman" not in said
