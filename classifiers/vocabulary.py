"""The words that telling a name from a word takes: names.yaml, which says what each list is for."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def words(name: str) -> frozenset[str]:
    """The words of the list that is called so."""
    return _set(_loaded()[name])


@cache
def groups(name: str) -> Mapping[str, frozenset[str]]:
    """The lists of words under that name, by their own names."""
    return {key: _set(value) for key, value in _loaded()[name].items()}


@cache
def rows(name: str) -> Sequence[Any]:
    """The list as it stands, where order matters or an entry is more than a word."""
    return tuple(_loaded()[name])


@cache
def titles() -> frozenset[str]:
    """All titles, whomever they stand before."""
    return frozenset[str]().union(*groups("titles").values())


def _set(value: str | Sequence[str]) -> frozenset[str]:
    return frozenset(value.split() if isinstance(value, str) else value)


@cache
def _loaded() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("names.yaml").read_text(encoding="utf-8"))
    return loaded
