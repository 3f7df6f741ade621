"""Accounts that look like the school's but are not in its register: which they are, and why (P14).

Names and handles are compared as the eye sees them: without case, accents and look-alike letters.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum

from rapidfuzz.distance import OSA

from monitor.domain.account import Profile
from monitor.domain.mentions import SchoolNames

#: Letters of other scripts, digits and signs by the Latin letter that they are taken for; l, I and 1 are one.
#: After the confusables of Unicode Technical Standard 39, those in common use.
_SEEN_AS = str.maketrans(
    "авеѕіјкмнорстухԁԛԝһӏ" + "αεικνορτυχγ" + "ıłl0135$|!",
    "abesijkmhopctyxdqwhi" + "aeiknoptuxy" + "iiioiessii",
)
_SEEN_AS_ONE = (("rn", "m"), ("vv", "w"))
#: What is put before or behind a handle to seem the real one.
_ADDED = re.compile(r"official|real|the|page|account|uk|[\W\d_]")
_WORD = re.compile(r"[^\W_]+")
#: A handle of ours with this many letters is still seen in one that differs by so many.
_DIFFERS = ((12, 2), (8, 1))
#: Shorter names are looked for as words only: they stand within others by chance.
_LONG = 8


class LookalikeDecision(StrEnum):
    """What a person decided about an account in the school's name."""

    OURS = "ours"
    UNOFFICIAL = "unofficial"
    IMPERSONATING = "impersonating"
    REPORTED = "reported"
    UNRELATED = "unrelated"

    @property
    def asks_for_more(self) -> bool:
        """Whether somebody is to do something yet: put it into the register, or report it."""
        return self in (LookalikeDecision.OURS, LookalikeDecision.IMPERSONATING)


def resembles(profile: Profile, names: SchoolNames, ours: Collection[str]) -> str | None:
    """Why `profile` may be taken for the school's, in words; None if it may not, is ours or another school's.

    `ours` are the handles and native ids that the register has on that platform.
    """
    if profile.id in ours or _plain(profile.handle) in {_plain(one) for one in ours}:
        return None
    told = f"{profile.name} {profile.handle} {profile.about}"
    if not replace(names, place_needed=False).mean_us(told):
        return None
    handles = {_local(one) for one in (*names.handles, *ours) if not one.isdecimal()}
    if why := _by_handle(_local(profile.handle), sorted(handles)):
        return why
    return _by_name(profile, names) if names.mean_us(told) else None


def _by_handle(theirs: str, handles: Collection[str]) -> str | None:
    for own in handles if theirs else ():
        if theirs == own:
            return f"its handle is ours, @{own}, but the account is not in the register"
        if _skeleton(theirs) == _skeleton(own):
            return f"its handle looks like ours, @{own}, but is written with other signs"
        if len(_core(own)) >= _LONG and _core(theirs) == _core(own):
            return f"its handle is ours, @{own}, with something added or left out"
        if OSA.distance(theirs, own) <= _may_differ(own):
            return f"its handle differs from ours, @{own}, by a letter or two"
    return None


def _by_name(profile: Profile, names: SchoolNames) -> str | None:
    for phrases, what in ((names.names, "name"), (names.misspellings, "name as it is often misspelt")):
        for phrase in phrases:
            if _words(phrase) in _words(profile.name):
                return f"it is called by the school's {what}, “{phrase}”"
            if len(_skeleton(phrase)) >= _LONG and _skeleton(phrase) in _skeleton(profile.handle):
                return f"its handle holds the school's {what}, “{phrase}”"
            # Parents and staff name the school too; what speaks for it says so.
            if _words("official") in _words(profile.about) and _words(phrase) in _words(profile.about):
                return f"it says that it is official, and holds the school's {what}, “{phrase}”"
    return None


def _may_differ(own: str) -> int:
    return next((letters for length, letters in _DIFFERS if len(own) >= length), 0)


def _plain(handle: str) -> str:
    return handle.strip().lstrip("@").casefold()


def _local(handle: str) -> str:
    """A handle without the server that it is on."""
    return _plain(handle).partition("@")[0].removesuffix(".bsky.social")


def _core(handle: str) -> str:
    return _skeleton(_ADDED.sub("", handle))


def _skeleton(text: str) -> str:
    """The letters of `text` as they look, run together."""
    return _words(text).replace(" ", "")


def _words(text: str) -> str:
    """The words of `text` as they look, between single spaces."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    seen = bare.casefold().translate(_SEEN_AS)
    for several, one in _SEEN_AS_ONE:
        seen = seen.replace(several, one)
    return f" {' '.join(_WORD.findall(seen))} "
