"""How the desk says things: times, labels, roles and decisions in words for a school."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.domain.case import CaseStatus, Decision
from monitor.domain.evidence import Grade
from monitor.domain.item import AuthorKind, Channel, ItemKind
from monitor.domain.lookalike import LookalikeDecision
from monitor.domain.people import Role
from monitor.domain.wording import (
    LABELS,
    VEILED,
    count,
    harmless,
    label,
    labels,
    length,
    listed,
    plain,
    short,
    unread,
    veil,
    when,
)

__all__ = [
    "LABELS", "VEILED", "count", "harmless", "label", "labels", "length", "listed", "short", "unread", "veil",
    "when",
]  # fmt: skip

#: By severity, 0 to 5 (POLICY: severity and precedence).
SEVERITIES = ("Ordinary", "To answer", "To answer", "Serious", "Urgent", "Danger now")
ROLES: Mapping[str, str] = {
    Role.DSL: "the safeguarding lead (DSL)",
    Role.DEPUTY_DSL: "the deputy safeguarding lead",
    Role.HEADTEACHER: "the headteacher",
    Role.DEPUTY_HEADTEACHER: "the deputy headteacher",
    Role.SLT: "the leadership team",
    Role.CHAIR_OF_GOVERNORS: "the chair of governors",
    Role.GOVERNOR: "the governors",
    Role.DPO: "the data protection officer",
    Role.PRESS_CONTACT: "the press contact",
    Role.LEGAL: "legal advice",
    Role.TRUST_EXECUTIVE: "the trust's executive",
    Role.MODERATOR: "the desk",
    Role.IT_TECHNICIAN: "the technician",
    Role.ADMIN: "the administrator",
    Role.AUDITOR: "the auditor",
}
PLATFORMS: Mapping[str, str] = {
    "x": "X",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "youtube": "YouTube",
    "bluesky": "Bluesky",
    "mastodon": "Mastodon",
    "reddit": "Reddit",
    "wordpress": "WordPress",
    "linkedin": "LinkedIn",
    "tiktok": "TikTok",
    "whatsapp": "WhatsApp",
    "google_reviews": "Google reviews",
    "feed": "The web",
}
CHANNELS: Mapping[Channel, str] = {Channel.OFFICIAL: "our account", Channel.MENTION: "said elsewhere"}
KINDS: Mapping[ItemKind, str] = {
    ItemKind.COMMENT: "comment",
    ItemKind.REPLY: "reply",
    ItemKind.POST: "post",
    ItemKind.REVIEW: "review",
    ItemKind.MESSAGE: "message",
}
AUTHORS: Mapping[AuthorKind, str] = {
    AuthorKind.SCHOOL: "the school",
    AuthorKind.STAFF: "staff",
    AuthorKind.PARENT: "parent",
    AuthorKind.PUPIL: "pupil",
    AuthorKind.PRESS: "press",
}
STATUSES: Mapping[CaseStatus, str] = {
    CaseStatus.OPEN: "Open",
    CaseStatus.ACKNOWLEDGED: "Seen by a person",
    CaseStatus.ANSWERED: "Answered",
    CaseStatus.CLOSED: "Closed",
}
#: The decisions that the desk offers for closing a case, in this order.
DECISIONS: Mapping[Decision, str] = {
    Decision.REPLIED: "We answered it",
    Decision.REFERRED: "Passed on to somebody who deals with it",
    Decision.HIDDEN: "Hidden on the platform",
    Decision.DELETED: "Deleted on the platform",
    Decision.REPORTED: "Reported to the platform",
    Decision.NO_ACTION: "Nothing needs doing",
}
GRADES: Mapping[Grade, str] = {
    Grade.FULL: "The live page and the platform's record",
    Grade.PARTIAL: "Part of the live page, and the platform's record",
    Grade.DELETED: "The post was already gone; the platform's record is kept",
    Grade.RECORD_ONLY: "The platform's record only, without the live page",
    Grade.FAILED: "Nothing could be kept",
}
#: What a person may say of an account in the school's name, and what follows from it.
LOOKALIKES: Mapping[LookalikeDecision, str] = {
    LookalikeDecision.OURS: "Ours: to be put into the register",
    LookalikeDecision.UNOFFICIAL: "Unofficial, but pretends nothing",
    LookalikeDecision.IMPERSONATING: "Impersonating us: to be reported to the platform",
    LookalikeDecision.REPORTED: "Reported to the platform",
    LookalikeDecision.UNRELATED: "Nothing to do with us",
}
_EVENTS: Mapping[str, str] = {
    "opened": "Case opened",
    "found_late": "Case opened after its deadline had passed",
    "read_again": "Read again, now that the classifier works",
    "raised": "Made more serious by an edit or a second reading",
    "told": "People to be told",
    "accepted": "Mail accepted by the mail server",
    "captured": "Evidence kept",
    "capture_failed": "Evidence could not be kept",
    "answered": "Answered on the platform",
    "acknowledged": "Seen by a person",
    "closed": "Closed",
    "reopened": "Opened again",
    "gone": "The comment is gone from the platform",
    "back": "The comment is on the platform again",
    "kept": "Deleted by its author, and kept here",
    "erased": "Deleted by its author: its words and the author's name were given up here",
    "hidden": "Hidden on the platform",
    "held": "Held back on the platform until it is approved there",
    "shown again": "Everybody sees it on the platform now",
}
#: In the place of what its author deleted and we have given up.
REMOVED = "[removed: its author deleted it]"
_PICTURES: Mapping[str, str] = {
    "page": "The live page",
    "card": "Card made by Schoolwatch from the platform's record",
}
_STAGES: Mapping[str, str] = {
    "classify": "Understanding comments",
    "triage": "Applying the rule book",
    "escalate": "Deciding who is told",
    "failures": "Telling of its own failures",
    "watch": "Watching over the sources",
    "access": "Asking how long we may read",
    "lookalikes": "Looking for accounts in our name",
    "notify": "Sending mail",
    "capture": "Keeping evidence",
    "first reading": "Telling of the first reading",
    "digest": "Making the daily digest",
    "housekeeping": "Tidying up",
}


def blurred(text: str) -> str:
    """Nonsense of the shape of `text`, to stand blurred where a text is hidden: nothing of it can be read back."""
    return "".join(sign if sign.isspace() else "nemuraso"[place % 8] for place, sign in enumerate(text))


def picture(name: str) -> str:
    """What a picture among the evidence shows, from its file's name."""
    stem = name.rpartition(".")[0]
    return _PICTURES.get(stem, plain(stem))


def role(name: str) -> str:
    return ROLES.get(name, plain(name).lower())


def roles(names: Iterable[str]) -> str:
    """Roles as a list in a sentence, always in the same order."""
    present = set(names)
    known = [name for name in ROLES if name in present]
    return listed([role(name) for name in (*known, *sorted(present - set(known)))])


def platform(name: str) -> str:
    return PLATFORMS.get(name, plain(name))


def stage(name: str) -> str:
    return _STAGES.get(name, plain(name))


def event(kind: str) -> str:
    return _EVENTS.get(kind, plain(kind))


def notice_level(level: int) -> str:
    """Why somebody was told: level 0 is at once, below it when it has become worse, above it the ladder's steps."""
    if level > 0:
        return f"reminder {level}"
    return "at once" if level == 0 else "at once, more serious now"


def ago(moment: datetime, now: datetime) -> str:
    return "just now" if abs(now - moment) < timedelta(minutes=1) else f"{length(now - moment)} ago"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLeft:
    """How much of a window is left, in words, and whether that is "late", "soon" (under 4 hours) or "fine"."""

    words: str
    pace: str


SOON = timedelta(hours=4)


def time_left(due: datetime, now: datetime) -> TimeLeft:
    rest = due - now
    if rest < timedelta(0):
        return TimeLeft(words=f"{length(rest)} late", pace="late")
    return TimeLeft(words=f"{length(rest)} left", pace="soon" if rest < SOON else "fine")
