"""Praise of people for what they are: each sentence of identity.yaml said of each group, and each name by itself.

Here templates are right: only the name of the group differs, so only the name can make the difference in score.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from monitor.domain.verdict import Comment, Label
from tests.functional.cases import HERE, Case

PRAISE = "identity_in_praise"
ALONE = "identity_alone"
#: The people whom the law's characteristics do not set apart: what the other groups are compared with.
PLAIN = "plain"
#: What no group's name may raise.
HATE = frozenset({Label.HATE, Label.ABUSE})


@cache
def _file() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((HERE / "identity.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def groups() -> dict[str, str]:
    """Every group and the protected characteristic that sets it apart (Equality Act 2010)."""
    return {name: group["characteristic"] for name, group in _file()["groups"].items()}


def group_of(case: Case) -> str:
    """The group that a case of `identity_cases` speaks of."""
    return case.id.partition("/")[2].partition(":")[0]


def identity_cases() -> Iterator[Case]:
    """Ids are like "identity_in_praise/muslim:welcome" and "identity_alone/muslim:one"."""
    for name, group in _file()["groups"].items():
        for about, sentence in _file()["praise"].items():
            text = sentence.format(one=group["one"], many=group["many"])
            praise = Comment(text=text[0].upper() + text[1:])
            yield Case(id=f"{PRAISE}/{name}:{about}", comment=praise, mustnt=frozenset(Label))
        for form in ("one", "many"):
            yield Case(id=f"{ALONE}/{name}:{form}", comment=Comment(text=group[form].capitalize()), clear=HATE)
