"""Labels, languages and times in words, and text made fit to be shown: the same on the desk and in mail."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.domain.clock import utc
from monitor.domain.verdict import Label

LABELS: Mapping[str, str] = {
    Label.THREAT: "Threat",
    Label.HATE: "Hate",
    Label.SEXUAL: "Sexual",
    Label.ABUSE: "Abuse",
    Label.SAFEGUARDING: "Concern about a child",
    Label.ALLEGATION: "Allegation against an adult",
    Label.PERSONAL_DATA: "Private details",
    Label.MEDIA: "Journalist",
    Label.COMPLAINT: "Complaint",
    Label.QUERY: "Question",
    Label.PROFANITY: "Swearing",
    Label.SPAM: "Advertising or scam",
}
#: Labels whose text is blurred until somebody asks to read it, and what the blur says instead.
VEILED: Mapping[str, str] = {
    Label.THREAT: "threatening",
    Label.HATE: "hateful",
    Label.SEXUAL: "sexual",
    Label.ABUSE: "abusive",
}
#: Languages by ISO 639-1 code.
LANGUAGES: Mapping[str, str] = {
    "am": "Amharic", "ar": "Arabic", "be": "Belarusian", "bg": "Bulgarian", "bn": "Bengali", "cs": "Czech",
    "cy": "Welsh", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fa": "Persian", "fr": "French",
    "ga": "Irish", "gd": "Scottish Gaelic", "gu": "Gujarati", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian",
    "hy": "Armenian", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "km": "Khmer", "ko": "Korean",
    "ku": "Kurdish", "lt": "Lithuanian", "lv": "Latvian", "ml": "Malayalam", "my": "Burmese", "ne": "Nepali",
    "nl": "Dutch", "pa": "Punjabi", "pl": "Polish", "ps": "Pashto", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "si": "Sinhala", "sk": "Slovak", "so": "Somali", "sq": "Albanian", "sr": "Serbian",
    "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai", "ti": "Tigrinya", "tl": "Tagalog",
    "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "yo": "Yoruba", "zh": "Chinese",
}  # fmt: skip

#: Controls but tab and newline, marks that turn the direction of text round, and half of a broken pair.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]"
)
#: Marks stacked on one letter beyond what any language writes.
_STACKED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def plain(name: str) -> str:
    """A name of the program's own as words: "personal_data" is "Personal data"."""
    return name.replace("_", " ").replace("-", " ").capitalize()


def label(name: str) -> str:
    return LABELS.get(name, plain(name))


def labels(names: Iterable[str]) -> list[str]:
    """Labels in words, the gravest first."""
    present = set(names)
    known = [name for name in LABELS if name in present]
    return [label(name) for name in (*known, *sorted(present - set(known)))]


def veil(names: Iterable[str]) -> str | None:
    """What a text with these labels is called while it is blurred; None where it needs no blur."""
    present = set(names)
    return " and ".join(word for name, word in VEILED.items() if name in present) or None


def language(code: str) -> str:
    """ "Polish"; what cannot be named is "another language"."""
    return LANGUAGES.get(code, "another language")


def unread(code: str) -> str:
    """ "in Polish (the classifier does not read it)"."""
    return f"in {language(code)} (the classifier does not read it)"


def listed(parts: list[str]) -> str:
    """ "a, b and c"."""
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)


def harmless(text: str) -> str:
    """Text as it may be shown: without characters that reorder, hide or overprint what stands around it."""
    return _STACKED.sub(r"\1", _UNSAFE.sub("", text.replace("\r\n", "\n")))


def short(text: str, limit: int = 400) -> str:
    """The beginning of a text, cut at a word where there is one."""
    if len(text) <= limit:
        return text
    cut = text[:limit]
    return (cut.rsplit(maxsplit=1)[0] if " " in cut[limit // 2 :] else cut) + " …"


def count(number: int, one: str, many: str | None = None) -> str:
    """ "1 case", "2 cases"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def when(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """ "Tue 24 Nov, 15:40" in school time, with the year where it is not this year's."""
    local, here = utc(moment).astimezone(zone), utc(now).astimezone(zone)
    year = "" if local.year == here.year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M}"


def length(span: timedelta) -> str:
    """A length of time in its two largest units: "2 days 3 hours", "40 minutes"."""
    minutes = int(abs(span).total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    units = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    first = next(index for index, (number, _) in enumerate(units) if number)
    return " ".join(count(number, unit) for number, unit in units[first : first + 2] if number)
