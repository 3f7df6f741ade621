"""Contact details of private people (not of organisations): telephone numbers, e-mail, postcodes, addresses."""

import re
from collections.abc import Iterator

from phonenumbers import Leniency, PhoneNumber, PhoneNumberMatcher, is_valid_number

_DIGIT = re.compile(r"\d")
#: Nine digits or more, however spaced: what PhoneNumberMatcher, which is slow, need be asked about.
_DIGITS = re.compile(r"\d(?:[\s().\-/+]{0,3}\d){8}")
_EMAIL = re.compile(r"(?<![\w.+-])([\w.+-]{1,64})@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}\b")
_OFFICIAL = re.compile(
    r"office|admin|info|enquir|news|desk|hello|contact|booking|sales|press|tips|senco|governor|reception|school|editor|"
    r"support|help|safeguarding|pta|club|jobs|complaint|payment|service|verif|team|billing",
    re.IGNORECASE,
)
#: Royal Mail's format of a full postcode; "Y5 2nd" is none.
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d(?!st|nd|rd|th)[ABD-HJLNP-UW-Z]{2}\b", re.IGNORECASE)
_TYPES = (
    "Street|St|Road|Rd|Lane|Ln|Avenue|Ave|Close|Drive|Dr|Way|Court|Crescent|Terrace|Row|Rise|Place|Gardens|Grove|Yard|"
    "Hill|Park|Square|Mews|Walk|View|Green|Gate|Fold|Crofts?|End|Cottages?|Parade|Vale|Wynd|Brae|Loan|Quay|Wharf|Mount|"
    "Meadows?|Spinney|Bank|Buildings|Villas|Copse|Dene|Approach|Heights|Chase|Broadway|Ridge|Orchard"
)
_STREET = rf"(?:[A-Z][\w']+[ -]){{1,3}}(?:{_TYPES})\b"
_SHORT_STREET = (
    r"[a-z]+ (?:road|rd|street|st|lane|avenue|ave|close|crescent|drive|terrace|gardens|court|grove|row|mews)\b"
)
_ADDRESSES = (
    re.compile(rf"\b(?:[Ff]lat \d+[a-z]?,? )?\d{{1,4}}[a-z]?,? (?:{_STREET}|The (?:{_TYPES})\b)"),
    re.compile(r"\b[Ff]lat \d+[a-z]?,? (?:The )?[A-Z][\w']+(?: [A-Z][\w']+){0,2}"),
    re.compile(rf"\b{_STREET},? (?:the \w+ one,? )?(?:[Nn]umber|[Nn]o\.?|I'm at|we're at) ?\d{{1,4}}\b"),
    re.compile(rf"(?:(?<= at )|(?<= address is ))\d{{1,3}}[a-z]? {_SHORT_STREET}"),
)
#: Where somebody else lives, be it without a number: "she lives on Sorrel Drive", "your flat on Gannow Street".
_HOME = re.compile(
    r"(?:(?<!who )(?<!one )(?<!body )\blives\b|\b(?:[Hh]is|[Hh]er|[Tt]heir|[Yy]our|\w+'s) (?:house|flat|home)\b)"
    r"[^.!?\n]{0,25}? (?:on|in|at|off|down|opposite|of|by) "
    rf"((?:[A-Z]\w+ (?:Cottage|House|Farm|Lodge|Barn|Villa),? )?{_STREET}"
    rf"|(?!our|my|this|the|same|next|that){_SHORT_STREET})"
)
#: Who has an address that is no secret.
_ORGANISATION = re.compile(
    r"\b(?:office|school|reception|library|council|surgery|shop|caf[eé]|salon|club|hall|church|helpline|hotline|newsdesk|"
    r"desk|studio|solicitors?(?:'s)?|bookings?|tickets|clinic|nursery|centre|hospital|police|restaurant|pub|chippy|bakery|"
    r"bakers|barbers?|garage|museum|open day|ask for|in confidence|option|extension)\b",
    re.IGNORECASE,
)
#: After an organisation is spoken of, what says that the address is somebody's own all the same.
_SOMEBODYS = re.compile(
    r"\b(?:my|me|ours?|his|hers?|their|i'm|i am|we're|we are|lives?|living|home|private|personal|renting|moved)\b",
    re.IGNORECASE,
)
#: The same before it: "my house is by the school".
_OWN = re.compile(
    r"\b(?:(?:my|our|his|her|their|your) (?:new |home )?(?:house|home|flat|address|number|mobile|landline)|lives?|"
    r"renting|neighbours?|moved in|number$|no\.$)\b",
    re.IGNORECASE,
)
_LONG_AGO = re.compile(r"\b(?:lived|used to|grew up|was born|years ago)\b", re.IGNORECASE)
#: Characters before a detail in which it is said whose it is.
_NEAR = 60


def find(text: str) -> Iterator[tuple[int, int]]:
    """Where `text` (folded) shows private contact details: start and end, in no order."""
    if "@" in text:
        yield from (match.span() for match in _EMAIL.finditer(text) if not _OFFICIAL.search(match[1]))
    if _DIGITS.search(text):
        yield from _phones(text)
    yield from (match.span(1) for match in _HOME.finditer(text))
    if _DIGIT.search(text):
        for pattern in (_POSTCODE, *_ADDRESSES):
            yield from (match.span() for match in pattern.finditer(text) if _is_somebodys(text, match.start()))


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for match in PhoneNumberMatcher(text, "GB", Leniency.POSSIBLE):
        mobile = match.number.country_code != 44 or str(match.number.national_number).startswith("7")
        if _is_a_line(match.number, match.raw_string) and (mobile or _is_somebodys(text, match.start)):
            yield match.start, match.end


def _is_a_line(number: PhoneNumber, raw: str) -> bool:
    """Whether a household may have the number: by Ofcom's plan 03, 08 and 09 are services."""
    if number.country_code != 44:
        return is_valid_number(number)
    digits = str(number.national_number)
    return raw.startswith(("0", "+", "(0")) and len(digits) == 10 and digits[0] in "127"


def _is_somebodys(text: str, start: int) -> bool:
    """Whether what begins at `start` is nobody's address of old, nor an office's, a shop's and so on."""
    before = text[max(0, start - _NEAR) : start]
    if _LONG_AGO.search(before):
        return False
    *_, last = [None, *_ORGANISATION.finditer(before)]
    return last is None or bool(_OWN.search(before) or _SOMEBODYS.search(before, last.end()))
