"""What the school is called in public, and whether a text speaks of it or of another school of that name (P3)."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_NO_WORD = re.compile(r"[^\w@]+")


@dataclass(frozen=True, kw_only=True)
class SchoolNames:
    """The school's names and usual misspellings, and the places that tell it from others of that name.

    `elsewhere` are the places of other schools so called. With `place_needed` a name counts only beside one of
    `places`: for names that many schools bear. `handles` are unmistakable: they need no place.
    """

    names: tuple[str, ...] = ()
    misspellings: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    place_needed: bool = False

    @property
    def phrases(self) -> tuple[str, ...]:
        """What to search a platform for, the proper names first."""
        return (*self.names, *self.misspellings)

    def mean_us(self, *texts: str) -> bool:
        """Whether texts that a search for our names found (a comment, its title, its author's) speak of our school.

        In doubt they do: a threat seldom says which town it means, and whoever makes it may live in another. So
        another school's place counts where it stands beside our name, in the same text. Texts that hold none of our
        names are the platform's own idea of a match, and are ours unless they name another school's place. A school
        that has told none of its names is meant by everything.
        """
        if not (self.names or self.handles):
            return True
        told = [_folded(text) for text in texts]
        if any(_any(text, self._handles) or _any(text, self._places) for text in told):
            return True
        naming = [text for text in told if _any(text, self._phrases)]
        if any(_any(text, self._elsewhere) for text in naming or told):
            return False
        return not self.place_needed

    @cached_property
    def _handles(self) -> tuple[str, ...]:
        return tuple(
            form
            for handle in self.handles
            for form in (_folded(handle.lstrip("@")), _folded("@" + handle.lstrip("@")))
        )

    @cached_property
    def _phrases(self) -> tuple[str, ...]:
        return tuple(map(_folded, self.phrases))

    @cached_property
    def _places(self) -> tuple[str, ...]:
        return tuple(map(_folded, self.places))

    @cached_property
    def _elsewhere(self) -> tuple[str, ...]:
        return tuple(map(_folded, self.elsewhere))


def _folded(text: str) -> str:
    """`text` as words between single spaces, without case, accents and width."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return f" {' '.join(_NO_WORD.split(plain.casefold())).strip()} "


def _any(told: str, phrases: Iterable[str]) -> bool:
    return any(phrase in told for phrase in phrases if phrase.strip())
