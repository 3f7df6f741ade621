"""What reads comments: kinds of classifier, by module name, and the reader that puts one to work.

A kind is a module with `load(**options)` that returns a scorer (threshold.Scorer). Listing kinds imports nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from monitor.domain.errors import ConfigError

if TYPE_CHECKING:
    from classifiers.threshold import Scorer

_KINDS = ("lexicon", "local")


def kinds() -> tuple[str, ...]:
    """The names that `load` knows."""
    return _KINDS


def load(kind: str, **options: Any) -> "Scorer":
    """The classifier of that kind. Raises ConfigError if there is none, ClassifierError if it cannot be loaded."""
    if kind not in _KINDS:
        raise ConfigError(f"there is no classifier {kind!r}: choose one of {', '.join(_KINDS)}")
    scorer: Scorer = import_module(f"classifiers.{kind}").load(**options)
    return scorer
