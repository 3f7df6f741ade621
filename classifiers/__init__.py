"""What reads comments: kinds of classifier, by module name, and the reader that puts one to work.

A kind is a module with `load(**options)` that returns a scorer (threshold.Scorer). Listing kinds imports nothing.
"""

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

from monitor.domain.errors import ConfigError

if TYPE_CHECKING:
    from classifiers.threshold import Scorer

_KINDS = ("lexicon", "local", "hub")


def kinds() -> tuple[str, ...]:
    """The names that `load` knows."""
    return _KINDS


def load(kind: str, **options: Any) -> "Scorer":
    """The classifier of that kind. Raises ClassifierError if it cannot be loaded.

    Raises ConfigError if there is no such kind, or it does not take these options.
    """
    if kind not in _KINDS:
        raise ConfigError(f"there is no classifier {kind!r}: choose one of {', '.join(_KINDS)}")
    module = import_module(f"classifiers.{kind}")
    try:
        inspect.signature(module.load).bind(**options)
    except TypeError as error:
        raise ConfigError(f"classifier_options: the classifier {kind!r}: {error}") from error
    scorer: Scorer = module.load(**options)
    return scorer
