"""The rule book: rules are data (config/policy.yaml), their meaning is here.

Every rule is evaluated and all that match apply: the strongest action wins, severity is the highest, recipients
unite and the tightest restriction holds (POLICY: severity and precedence).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from monitor.domain.item import AuthorKind, Channel
from monitor.domain.people import Role
from monitor.domain.verdict import Action, Expects, Label, Verdict


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class When(_Closed):
    """A rule's condition: its fields are ANDed, a field left out says nothing.

    `labels`: at least one of these; `all_labels`: every one; `without`: none of these. `names`: somebody on the
    roster is named ("anyone"), nobody is ("nobody"), or somebody who holds one of the listed roles. `not_named`:
    nobody who holds one of these roles is named. `possibly`: at least one of these labels is in doubt, though not
    over its threshold. `language: unread`: the text is in a language that the classifier does not read.
    """

    labels: tuple[Label, ...] = ()
    all_labels: tuple[Label, ...] = ()
    without: tuple[Label, ...] = ()
    possibly: tuple[Label, ...] = ()
    names: Literal["anyone", "nobody"] | tuple[Role, ...] | None = None
    not_named: tuple[Role, ...] = ()
    channel: Channel | None = None
    platforms: tuple[str, ...] = ()
    author: tuple[AuthorKind, ...] = ()
    language: Literal["unread"] | None = None
    attachments: bool | None = None
    empty_text: bool | None = None


class Rule(_Closed):
    """One rule. `tell` are told at once; `visible_to` restricts the case to these roles.

    `headline` names the matter in a notice ("A threat"); `advice` is shown beside the case.
    """

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    headline: str
    says: str
    advice: str = ""
    when: When
    action: Action
    severity: int = Field(ge=0, le=5)
    tell: tuple[Role, ...] = ()
    visible_to: tuple[Role, ...] | None = None


class Obligations(_Closed):
    """What an item on an official account waits for (P2): `answer: all` makes the policy's rule literal."""

    answer: Literal["all"] | tuple[Label, ...] = (Label.QUERY, Label.COMPLAINT)
    glance: bool = True


class LadderStep(_Closed):
    """At `at` of the window (1.0 = the deadline) `tell` are told, unless the case was answered before."""

    at: float = Field(gt=0, le=10)
    tell: tuple[Role, ...] = Field(min_length=1)


class Failures(_Closed):
    """Who is told that Schoolwatch itself is ill, and how often while it lasts."""

    tell: tuple[Role, ...] = Field(default=(Role.IT_TECHNICIAN, Role.MODERATOR), min_length=1)
    #: A duration in quotes: a bare number of YAML's would be seconds, and is refused.
    remind_every: timedelta = Field(default=timedelta(hours=24), ge=timedelta(hours=1))


class PolicyFile(_Closed):
    """The shape of config/policy.yaml."""

    rules: tuple[Rule, ...]
    #: The languages that the classifier reads (ISO 639-1); a text in another is `language: unread`.
    languages: tuple[str, ...] = ("en",)
    obligations: Obligations = Obligations()
    #: Steps for cases that expect an answer, in order of `at`.
    ladder: tuple[LadderStep, ...] = ()
    #: Steps for items that wait for a glance.
    glance_ladder: tuple[LadderStep, ...] = ()
    #: Who is told, in this order, where everybody meant is accused or the role is held by nobody.
    fallback: tuple[Role, ...] = (Role.DEPUTY_HEADTEACHER, Role.CHAIR_OF_GOVERNORS)
    #: Who receives the daily digest.
    digest: tuple[Role, ...] = (Role.MODERATOR,)
    failures: Failures = Failures()
    #: Ids of the official accounts whose private messages are read (P17).
    private_messages: tuple[str, ...] = ()
    #: How long after its author deleted it an ordinary comment loses its text, and on what basis a case keeps it.
    erase_deleted_after: timedelta = Field(
        default=timedelta(hours=24), ge=timedelta(hours=1), le=timedelta(days=30)
    )
    keep_deleted_because: str = Field(
        default="evidence of a possible offence or of a complaint, for a task in the public interest "
        "(UK GDPR Art. 6(1)(e))",
        min_length=1,
    )
    #: Whether a notice quotes the words behind a label. Of what is hurtful, private or advertising it never does.
    quotes: bool = False
    #: The last resort: an address outside the school that is always told when nobody else is left.
    outside_contact: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> "PolicyFile":
        ids = [rule.id for rule in self.rules]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"rule ids must be unique, found twice: {', '.join(twice)}")
        for ladder in (self.ladder, self.glance_ladder):
            if list(ladder) != sorted(ladder, key=lambda step: step.at):
                raise ValueError("ladder steps must stand in order of `at`")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A validated rule book and the hash of the file it came from."""

    book: PolicyFile
    version: str

    def rules(self, ids: Collection[str]) -> list[Rule]:
        """The rules with these ids, gravest first; ids of rules since deleted are left out."""
        return sorted((rule for rule in self.book.rules if rule.id in ids), key=lambda rule: -rule.severity)

    def reads(self, language: str) -> bool:
        """Whether the classifier reads this language; "und", a text with next to no words, counts as read."""
        return language == "und" or language in self.book.languages

    def ladder(self, expects: Expects) -> tuple[LadderStep, ...]:
        """The ladder for a case that waits for an answer, or for a glance."""
        if expects is Expects.ANSWER:
            return self.book.ladder
        return self.book.glance_ladder if expects is Expects.GLANCE else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the rule book may know of one revision. `named` maps roster ids to the roles they hold."""

    labels: Collection[str]
    doubt: Collection[str]
    named: Mapping[str, Collection[Role]]
    channel: Channel
    platform: str
    author: AuthorKind
    language_read: bool
    has_text: bool
    has_attachments: bool


#: Labels that accuse the people whom the text names (P26). Being named in a threat or abuse is not being accused.
ACCUSING = frozenset({Label.COMPLAINT, Label.ALLEGATION})
_STRENGTH = (Action.IGNORE, Action.REVIEW, Action.ESCALATE)


def decide(facts: Facts, policy: Policy) -> Verdict:
    """What the rule book says of an item with these facts."""
    if facts.author is AuthorKind.SCHOOL:
        matched: list[Rule] = []
        expects = Expects.NOTHING
    else:
        matched = [rule for rule in policy.book.rules if _matches(rule.when, facts)]
        expects = _expects(facts, policy.book.obligations)
    action = max((rule.action for rule in matched), key=_STRENGTH.index, default=Action.IGNORE)
    if expects is Expects.ANSWER and action is Action.IGNORE:
        action = Action.REVIEW
    accused = tuple(facts.named) if ACCUSING & set(facts.labels) else ()
    return Verdict(
        action=action,
        severity=max((rule.severity for rule in matched), default=0),
        rank=min((policy.book.rules.index(rule) for rule in matched), default=len(policy.book.rules)),
        rules=tuple(rule.id for rule in matched),
        tell=tuple(dict.fromkeys(role for rule in matched for role in rule.tell)),
        visible_to=tightest([rule.visible_to for rule in matched if rule.visible_to is not None]),
        expects=expects,
        accused=accused,
        policy_version=policy.version,
    )


def _expects(facts: Facts, obligations: Obligations) -> Expects:
    if facts.channel is not Channel.OFFICIAL:
        return Expects.NOTHING
    if obligations.answer == "all" or set(obligations.answer) & set(facts.labels):
        return Expects.ANSWER
    return Expects.GLANCE if obligations.glance else Expects.NOTHING


def tightest(restrictions: Sequence[Collection[str]]) -> tuple[str, ...] | None:
    """The roles that every restriction allows, None for no restriction.

    Where no role is in all of them, the roles of all: whoever is told of a case must be able to open it.
    """
    if not restrictions:
        return None
    roles = [set(one) for one in restrictions]
    return tuple(sorted(set.intersection(*roles) or set.union(*roles)))


def _matches(when: When, facts: Facts) -> bool:
    labels, doubt = set(facts.labels), set(facts.doubt)
    return all(
        (
            not when.labels or bool(labels & set(when.labels)),
            labels.issuperset(when.all_labels),
            labels.isdisjoint(when.without),
            not when.possibly or bool(doubt & set(when.possibly)),
            _names_match(when.names, facts.named),
            not _holds(when.not_named, facts.named),
            when.channel is None or facts.channel is when.channel,
            not when.platforms or facts.platform in when.platforms,
            not when.author or facts.author in when.author,
            when.language is None or not facts.language_read,
            when.attachments is None or facts.has_attachments is when.attachments,
            when.empty_text is None or facts.has_text is not when.empty_text,
        )
    )


def _names_match(condition: str | tuple[Role, ...] | None, named: Mapping[str, Collection[Role]]) -> bool:
    if condition is None:
        return True
    if condition == "anyone":
        return bool(named)
    if condition == "nobody":
        return not named
    return _holds(tuple(map(Role, condition)), named)


def _holds(roles: tuple[Role, ...], named: Mapping[str, Collection[Role]]) -> bool:
    return any(set(roles) & set(held) for held in named.values())
