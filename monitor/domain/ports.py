"""The seams: what the stages ask of the world outside. Each has one real and one fake."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.domain.account import Access, Capabilities, Profile
from monitor.domain.evidence import Capture, CapturedFile, Subject
from monitor.domain.item import ItemRef, Page
from monitor.domain.verdict import Comment, NameHit, Reading, Scores


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, UTC."""
        ...


class Secrets(Mapping[str, str]):
    """An account's secrets by the names under its `secrets:`."""

    @abstractmethod
    def keep(self, name: str, value: str) -> None:
        """Keep a secret that the platform has changed, so that the next start finds it. Raises ConfigError."""


class Connector(Protocol):
    """One account on one platform. Every method raises SourceError, and nothing else, when it cannot read."""

    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What can be read and done; asks nothing of the platform."""

    @abstractmethod
    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """What is new since `cursor` (None: from the beginning), page by page to the end.

        Overlaps what was read before rather than miss something: the store deduplicates. Each page is stored in
        one transaction with its cursor before the next is asked for.
        """

    @abstractmethod
    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """Everything now below the post `ref`, and in `Page.gone` those of `known` that no longer exist."""

    def access(self, now: datetime) -> Access:
        """What the platform says of our token: when it ends and what it lacks. Nothing, where it does not say."""
        return Access()

    def profiles(self, names: Sequence[str], now: datetime) -> Iterator[Profile]:
        """Accounts on the platform that a search for each of `names` finds, where `finds_profiles`."""
        return iter(())


class Classifier(Protocol):
    name: str
    version: str

    def score(self, comments: Sequence[Comment]) -> list[Scores]:
        """Probabilities for every label, one mapping a comment. Raises ClassifierError."""
        ...


class NameFinder(Protocol):
    def find(self, text: str) -> list[NameHit]:
        """The people of the roster whom `text` names, in order of appearance."""
        ...


class Reader(Protocol):
    """A classifier, its thresholds and a name finder, put together."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def problem(self) -> str | None:
        """Why the last reading was done without the model, or None."""
        ...

    def read(self, comments: Sequence[Comment]) -> list[Reading]:
        """One reading a comment; without its model it reads with doubt rather than not at all."""
        ...


class Capturer(Protocol):
    def capture(self, subject: Subject, now: datetime) -> Capture:
        """The record, its card and, where it can be had, the live page. Raises CaptureError only if nothing can."""
        ...


class Vault(Protocol):
    def put(self, file: CapturedFile) -> str:
        """Keep `file.body` for good and return its SHA-256. Writing the same bytes twice is harmless."""
        ...

    def get(self, sha256: str) -> bytes:
        """The bytes kept under `sha256`, checked against it. Raises NotFound."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An e-mail's subject and its body in both forms."""

    subject: str
    text: str
    html: str


class Letters(Protocol):
    def write(self, kind: str, **facts: object) -> Letter:
        """Fill the templates KIND.txt (its first line is the subject) and KIND.html."""
        ...


class Mailer(Protocol):
    def send(self, *, message_id: str, recipient: str, subject: str, text: str, html: str) -> None:
        """Hand one message to the mail server; return only once it was accepted. Raises MailError."""
        ...
