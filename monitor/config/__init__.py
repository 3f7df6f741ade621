"""config/*.yaml and the environment, read once into one frozen Config.

A value that cannot be used stops the start and is named, but for an account: one bad account is a problem of that
account, shown on the status page, and the others are read.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.config.accounts import load_accounts, with_names, with_private_messages
from monitor.config.calendar import load_calendar
from monitor.config.mentions import Mentions, person_in
from monitor.config.network import Network, is_proxy
from monitor.config.people import load_people
from monitor.config.reading import digest_of, parse, read_mapping
from monitor.config.school import Mail, Nation, School
from monitor.domain.account import Account
from monitor.domain.calendar import Calendar
from monitor.domain.errors import ConfigError
from monitor.domain.people import Person, unheld_roles
from monitor.domain.policy import Policy, PolicyFile

__all__ = [
    "Config",
    "Mail",
    "Mentions",
    "Nation",
    "Network",
    "School",
    "default_folder",
    "is_proxy",
    "load_calendar",
    "load_config",
    "load_people",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a school says about itself. `problems` names accounts that cannot be used, and why."""

    folder: Path
    school: School
    accounts: tuple[Account, ...]
    people: tuple[Person, ...]
    policy: Policy
    calendar: Calendar
    warnings: tuple[str, ...]
    problems: Mapping[str, str]

    @property
    def templates(self) -> Path:
        return self.folder / "templates"


def default_folder() -> Path:
    """$SCHOOLWATCH_CONFIG, else the example school beside the code."""
    return Path(os.environ.get("SCHOOLWATCH_CONFIG") or Path(__file__).resolve().parents[2] / "config")


def load_config(folder: Path) -> Config:
    """Read a configuration folder. Raises ConfigError naming the file and the value."""
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder; give one with school.yaml, accounts.yaml and the others")
    school = parse(School, read_mapping(folder / "school.yaml"), folder / "school.yaml")
    people = load_people(folder / "people.yaml")
    _refuse_people(school.mentions, people)
    policy_path = folder / "policy.yaml"
    book = parse(PolicyFile, read_mapping(policy_path), policy_path)
    accounts, problems = load_accounts(folder / "accounts.yaml", people)
    accounts = with_private_messages(with_names(accounts, school.mentions), book.private_messages, problems)
    warnings = [f"nobody with an e-mail address holds the role {role}" for role in unheld_roles(people)]
    if not book.outside_contact:
        warnings.append("policy.yaml names no outside_contact: if everybody meant is absent, nobody is told")
    return Config(
        folder=folder,
        school=school,
        accounts=accounts,
        people=people,
        policy=Policy(book=book, version=digest_of(policy_path)),
        calendar=load_calendar(folder / "calendar.yaml", school.nation, school.timezone, school.closes),
        warnings=tuple(warnings),
        problems=problems,
    )


def _refuse_people(mentions: Mentions, people: tuple[Person, ...]) -> None:
    """Nobody is searched for by name (P27). Raises ConfigError."""
    for text in mentions.searched:
        if person := person_in(text, people):
            raise ConfigError(
                f"school.yaml: mentions: {text!r} names {person.name}, and nobody is searched for by name: give "
                "what the school itself is called"
            )
