"""The rule book together with the school it applies to."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.domain.calendar import Calendar
from monitor.domain.item import Item
from monitor.domain.people import Person
from monitor.domain.policy import Facts, Policy, decide
from monitor.domain.routing import Recipients, recipients
from monitor.domain.verdict import Reading, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """Policy, roster and calendar: all that triage and escalation decide by."""

    policy: Policy
    people: tuple[Person, ...]
    calendar: Calendar

    def judge(self, item: Item, reading: Reading) -> Verdict:
        """What the rules say of an item that reads like this."""
        roles = {person.id: person.roles for person in self.people}
        facts = Facts(
            labels=reading.labels,
            doubt=reading.doubt,
            named={hit.person: roles.get(hit.person, ()) for hit in reading.names},
            channel=item.channel,
            platform=item.ref.platform,
            author=item.author.kind,
            language_read=self.policy.reads(reading.language),
            has_text=bool(item.text.strip()),
            has_attachments=bool(item.attachments),
        )
        return decide(facts, self.policy)

    def recipients(self, roles: Sequence[str], accused: Sequence[str]) -> Recipients:
        """Who is written to when `roles` must be told, around the accused."""
        return recipients(roles, self.people, self.policy.book, accused)
