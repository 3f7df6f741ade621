"""people.yaml: the roster."""

from pathlib import Path

from pydantic import Field

from monitor.config.reading import Closed, parse, read_yaml
from monitor.domain.errors import ConfigError
from monitor.domain.people import Person, Role


class _PersonEntry(Closed):
    id: str = Field(pattern=r"^[a-z0-9-]+$")
    name: str
    title: str = ""
    role: str = ""
    aliases: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    email: str | None = Field(default=None, pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$")

    def person(self) -> Person:
        return Person(**self.model_dump())


def load_people(path: Path) -> tuple[Person, ...]:
    """A roster: either a bare list of people or, as in config/people.yaml, one under `people:`."""
    data = read_yaml(path)
    entries = data.get("people") if isinstance(data, dict) else data
    if not isinstance(entries, list):
        raise ConfigError(f"{path.name}: expected a list of people")
    people = tuple(
        parse(_PersonEntry, entry, path, f"person {number}").person() for number, entry in enumerate(entries, 1)
    )
    ids = [person.id for person in people]
    for one in ids:
        if ids.count(one) > 1:
            raise ConfigError(f"{path.name}: the id {one!r} stands twice")
    return people
