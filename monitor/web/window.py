"""The only way in which pages see cases, items, mail and evidence.

What the rule book restricts to some roles (`visible_to`) is a Stub to everybody else: no text, author, thread,
labels, scores, evidence or mail. Pages get what they show from here and nowhere else, so the restriction cannot be
forgotten on one of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.domain.case import Case, CaseEvent
from monitor.domain.errors import NotFound
from monitor.domain.evidence import Evidence, EvidenceFile
from monitor.domain.item import ItemRef
from monitor.domain.policy import PolicyFile
from monitor.domain.verdict import Reading
from monitor.store.health import Heartbeat, Problem, StoredDigest
from monitor.store.items import StoredItem
from monitor.store.lookalikes import Lookalike
from monitor.store.outbox import Message, SentNotice
from monitor.store.queue import Counts, QueueEntry
from monitor.store.store import Transaction
from monitor.web.lights import Known

#: Of a long conversation, how many items before and after the case's own are shown.
AROUND = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """What is left of something restricted: for whom it is kept, and enough to know what not to touch."""

    kept_for: tuple[str, ...]
    case_id: int | None
    account: str | None
    published_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenItem:
    """An item with its case, if it has one, and the labels of its present wording."""

    stored: StoredItem
    case: Case | None
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Restricted mail: that it exists and whether it was accepted, nothing else."""

    id: int
    kept_for: tuple[str, ...]
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeCase:
    """Everything about one case.

    `thread` is the conversation in order of time with the case's own item in it; of a long one (`thread_size`
    items) its top and what stands closest.
    """

    case: Case
    item: StoredItem
    reading: Reading | None
    thread: Sequence[SeenItem | Stub]
    thread_size: int
    wordings: Sequence[tuple[datetime, str, str]]
    notices: Sequence[tuple[SentNotice, Message | None]]
    evidence: Sequence[Evidence]
    #: The roles its evidence is kept for, because the conversation that it pictures holds something restricted.
    evidence_kept_for: tuple[str, ...] | None
    history: Sequence[CaseEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workings:
    """How the service itself is: nothing of any comment."""

    problems: Sequence[Problem]
    heartbeats: Sequence[Heartbeat]
    #: Stage -> how many wordings wait for it.
    unread: Mapping[str, int]
    #: How many were read by the word list alone.
    read_again: int
    unsent: int
    uncaptured: int

    @property
    def failing(self) -> str | None:
        """Why comments are read by the word list alone."""
        return next((problem.message for problem in self.problems if problem.subject == "classifier"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one visitor may see."""

    leaders: bool
    book: PolicyFile

    def kept_for(self, case: Case | None, rules: Sequence[str] = ()) -> tuple[str, ...] | None:
        """The roles something is kept for, None where this visitor may see it.

        An item without a case (history, say) is kept if a rule that restricts ever matched it.
        """
        if self.leaders:
            return None
        if case is not None:
            return case.visible_to
        return _united([rule.visible_to for rule in self.book.rules if rule.id in rules])

    @property
    def hidden_rules(self) -> list[str] | None:
        """The rules whose items a search must leave out."""
        if self.leaders:
            return None
        return [rule.id for rule in self.book.rules if rule.visible_to is not None]


class Restricted(Exception):
    """This visitor may not see or touch the thing asked for."""

    def __init__(self, kept_for: tuple[str, ...]) -> None:
        super().__init__("restricted")
        self.kept_for = kept_for


class Window:
    """One reading transaction as one visitor may see it."""

    def __init__(self, tx: Transaction, sight: Sight) -> None:
        self._tx = tx
        self._sight = sight

    def to_handle(self, now: datetime, limit: int) -> list[QueueEntry | Stub]:
        return [self._entry(entry) for entry in self._tx.queue.to_handle(now, limit)]

    def to_glance(self, limit: int) -> list[QueueEntry | Stub]:
        return [self._entry(entry) for entry in self._tx.queue.to_glance(limit)]

    def cases(self, case_ids: Sequence[int]) -> list[QueueEntry | Stub]:
        """These cases in the order given."""
        return [self._entry(entry) for entry in self._tx.queue.of(case_ids)]

    def items(self, words: str, *, before: int | None, limit: int) -> tuple[list[SeenItem | Stub], int | None]:
        """A page of what was read, newest first, and the id to go on from.

        A search leaves out what is restricted: a stub among its results would tell what stands in the text.
        """
        hidden = self._sight.hidden_rules if words else None
        found = self._tx.items.search(words, limit=limit + 1, before=before, without_restricted=hidden)
        page = found[:limit]
        return self._seen(page), page[-1].id if len(found) > limit else None

    def case(self, case_id: int) -> WholeCase | Stub:
        """Raises NotFound."""
        found = self._tx.queue.of([case_id])
        if not found:
            raise NotFound(f"there is no case {case_id}")
        shown = self._entry(found[0])
        if isinstance(shown, Stub):
            return shown
        item = shown.item
        conversation = self._conversation(item)
        return WholeCase(
            case=shown.case,
            item=item,
            reading=self._tx.readings.get(item.id, item.revision),
            thread=self._seen(_closest(conversation, item)),
            thread_size=len(conversation),
            wordings=self._tx.items.wordings(item.id),
            notices=self._notices(case_id),
            evidence=self._tx.evidence.of_case(case_id),
            evidence_kept_for=self._kept_among(conversation),
            history=self._tx.cases.history(case_id),
        )

    def messages(self, limit: int) -> list[Message | Kept]:
        """Mail, the newest first."""
        found = self._tx.outbox.messages(limit)
        carried = self._tx.outbox.carried([message.id for message in found])
        return [self._mail(message, carried.get(message.id, [])) for message in found]

    def message(self, message_id: int) -> tuple[Message | Kept, Sequence[int]]:
        """One mail and the ids of the cases that it tells of. Raises NotFound."""
        message = self._tx.outbox.message(message_id)
        if message is None:
            raise NotFound(f"there is no mail {message_id}")
        cases = self._tx.outbox.carried([message_id]).get(message_id, [])
        shown = self._mail(message, cases)
        return shown, [] if isinstance(shown, Kept) else [case.id for case in cases]

    def evidence_file(self, evidence_id: int, name: str) -> EvidenceFile:
        """Raises NotFound, and Restricted where the case, or what its evidence pictures beside it, is kept."""
        evidence = self._tx.evidence.get(evidence_id)
        self.check(evidence.case_id)
        item = self._tx.items.get(evidence.item_id)
        kept_for = self._kept_among(self._conversation(item)) if item else None
        if kept_for is not None:
            raise Restricted(kept_for)
        for file in evidence.files:
            if file.name == name:
                return file
        raise NotFound(f"evidence {evidence_id} has no file of that name")

    def check(self, case_id: int) -> None:
        """Raises NotFound, and Restricted where the case is kept from this visitor."""
        kept_for = self._sight.kept_for(self._tx.cases.get(case_id))
        if kept_for is not None:
            raise Restricted(kept_for)

    def counts(self, now: datetime) -> Counts:
        return self._tx.queue.counts(now)

    def sources(self, now: datetime) -> Known:
        """How reading goes; nothing of any comment."""
        counted = self._tx.threads.differences(now)
        return Known(
            states=self._tx.sources.states(),
            problems=self._tx.health.problems(),
            counted=counted,
            differences={one.account: self._tx.threads.differing(one.account) for one in counted if one.differing},
            spending=self._tx.spending.all(now),
        )

    def lookalikes(self) -> list[Lookalike]:
        """Accounts in the school's name, those that nobody has decided about first; nothing of what they wrote."""
        return self._tx.lookalikes.all()

    def undecided_lookalikes(self) -> int:
        return self._tx.lookalikes.undecided()

    def digests(self, limit: int) -> list[StoredDigest]:
        """The newest first; figures and ids only."""
        return self._tx.health.digests(limit)

    def workings(self) -> Workings:
        return Workings(
            problems=self._tx.health.problems(),
            heartbeats=self._tx.health.heartbeats(),
            unread=self._tx.readings.count_waiting(),
            read_again=self._tx.readings.count_provisional(),
            unsent=self._tx.outbox.unsent(),
            uncaptured=self._tx.evidence.count(captured=False),
        )

    def _entry(self, entry: QueueEntry) -> QueueEntry | Stub:
        kept_for = self._sight.kept_for(entry.case)
        return entry if kept_for is None else _stub(entry.item, entry.case, kept_for)

    def _conversation(self, item: StoredItem) -> list[StoredItem]:
        """The thread in order of time, and what stands above the item where the platform names no thread."""
        top = item.item.thread or item.item.ref
        found = {stored.item.ref: stored for stored in self._tx.items.thread(top)}
        found.setdefault(item.item.ref, item)
        for above in self._tx.items.above(item.item):
            if above.ref not in found and (stored := self._tx.items.find(above.ref)) is not None:
                found[above.ref] = stored
        return sorted(found.values(), key=_in_time)

    def _seen(self, found: Sequence[StoredItem]) -> list[SeenItem | Stub]:
        around = self._tx.queue.surroundings([stored.id for stored in found])
        seen: list[SeenItem | Stub] = []
        for stored in found:
            its = around[stored.id]
            kept_for = self._sight.kept_for(its.case, its.rules)
            if kept_for is None:
                seen.append(SeenItem(stored=stored, case=its.case, labels=its.labels))
            else:
                seen.append(_stub(stored, its.case, kept_for))
        return seen

    def _kept_among(self, found: Sequence[StoredItem]) -> tuple[str, ...] | None:
        """The roles that any of these items is kept for: a picture of a page shows all that stands on it."""
        rules = self._sight.hidden_rules
        if rules is None:
            return None
        restricted = self._tx.items.restricted([stored.id for stored in found], rules)
        around = self._tx.queue.surroundings(restricted).values()
        return _united([self._sight.kept_for(its.case, its.rules) for its in around])

    def _notices(self, case_id: int) -> list[tuple[SentNotice, Message | None]]:
        """Who was told, with the mail where it still waits, to say why."""
        waiting: dict[int, Message | None] = {}
        notices = self._tx.outbox.notices_of(case_id)
        for notice in notices:
            if notice.message is not None and notice.sent_at is None and notice.message not in waiting:
                waiting[notice.message] = self._tx.outbox.message(notice.message)
        return [(notice, waiting.get(notice.message) if notice.message else None) for notice in notices]

    def _mail(self, message: Message, cases: Sequence[Case]) -> Message | Kept:
        kept_for = _united([self._sight.kept_for(case) for case in cases])
        if kept_for is None:
            return message
        return Kept(
            id=message.id,
            kept_for=kept_for,
            created_at=message.created_at,
            sent_at=message.sent_at,
        )


def _united(restrictions: Sequence[Sequence[str] | None]) -> tuple[str, ...] | None:
    """Every role of the restrictions that there are, None where there is none."""
    real = [roles for roles in restrictions if roles is not None]
    return tuple(dict.fromkeys(role for roles in real for role in roles)) if real else None


def _stub(stored: StoredItem, case: Case | None, kept_for: tuple[str, ...]) -> Stub:
    return Stub(
        kept_for=kept_for,
        case_id=case.id if case else None,
        account=stored.account,
        published_at=stored.item.published_at,
    )


def _closest(conversation: list[StoredItem], item: StoredItem) -> list[StoredItem]:
    mine = next(place for place, stored in enumerate(conversation) if stored.id == item.id)
    first = max(mine - AROUND, 0)
    top = conversation[:1] if first else []
    return top + conversation[first : mine + AROUND + 1]


def _in_time(stored: StoredItem) -> tuple[bool, float, int]:
    """Undated items stand at the end, in the order in which they were read."""
    at = stored.item.published_at
    return at is None, at.timestamp() if at else 0.0, stored.id


def parent_of(seen: SeenItem) -> ItemRef | None:
    """What an item in a conversation answers."""
    return seen.stored.item.parent or seen.stored.item.thread
