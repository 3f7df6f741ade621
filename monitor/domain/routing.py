"""Who is told: from the rule book's roles to people with addresses, around whoever is accused (P26)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from monitor.domain.people import Person, Role, holders
from monitor.domain.policy import PolicyFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """The addresses to write to, and the roles for which nobody was left, so that it can be shown."""

    emails: tuple[str, ...]
    unreached: tuple[Role, ...]


def recipients(
    roles: Sequence[str], people: Sequence[Person], book: PolicyFile, accused: Collection[str] = ()
) -> Recipients:
    """Addresses of everybody who holds one of `roles` and is not accused.

    A role that reaches nobody goes to the first fallback role that does, then to the outside contact: never to
    nobody while the rule book names one.
    """
    emails: dict[str, None] = {}
    unreached: list[Role] = []
    for role in map(Role, roles):
        found = _addresses(role, people, accused)
        if not found:
            unreached.append(role)
            found = _fallback(people, book, accused)
        emails |= dict.fromkeys(found)
    return Recipients(emails=tuple(emails), unreached=tuple(unreached))


def _fallback(people: Sequence[Person], book: PolicyFile, accused: Collection[str]) -> list[str]:
    for role in book.fallback:
        if found := _addresses(role, people, accused):
            return found
    return [book.outside_contact] if book.outside_contact else []


def _addresses(role: Role, people: Sequence[Person], accused: Collection[str]) -> list[str]:
    return [person.email for person in holders(people, role) if person.email and person.id not in accused]
