"""The people of a school: the roster that names are found in, and the roles that notices go to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The one list of roles, for the rule book and the desk alike."""

    MODERATOR = "moderator"
    HEADTEACHER = "headteacher"
    DEPUTY_HEADTEACHER = "deputy_headteacher"
    SLT = "slt"
    DSL = "dsl"
    DEPUTY_DSL = "deputy_dsl"
    DPO = "dpo"
    CHAIR_OF_GOVERNORS = "chair_of_governors"
    GOVERNOR = "governor"
    PRESS_CONTACT = "press_contact"
    LEGAL = "legal"
    TRUST_EXECUTIVE = "trust_executive"
    IT_TECHNICIAN = "it_technician"
    ADMIN = "admin"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody on the roster. `role` is the job in words; `roles` are what the rule book calls them."""

    id: str
    name: str
    title: str = ""
    role: str = ""
    aliases: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    email: str | None = None


def holders(people: Iterable[Person], role: Role) -> list[Person]:
    """Everybody who holds `role`, in the roster's order."""
    return [person for person in people if role in person.roles]


def unheld_roles(people: Sequence[Person]) -> list[Role]:
    """Roles that nobody with an e-mail address holds: worth a warning, never an error."""
    held = {role for person in people if person.email for role in person.roles}
    return [role for role in Role if role not in held]
