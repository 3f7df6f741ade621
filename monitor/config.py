"""config/*.yaml and the environment, read once into one frozen Config.

A value that cannot be used stops the start and is named, but for an account: one bad account is a problem of that
account, shown on the status page, and the others are read.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from monitor.domain.account import Account
from monitor.domain.calendar import Calendar
from monitor.domain.clock import utc
from monitor.domain.errors import ConfigError
from monitor.domain.item import Channel
from monitor.domain.people import Person, Role, unheld_roles
from monitor.domain.policy import Policy, PolicyFile

_Model = TypeVar("_Model", bound=BaseModel)
Nation = Literal["england", "wales", "scotland", "northern_ireland"]
#: Slower than this, the school's day to answer would suffer.
SLOWEST_POLL = timedelta(hours=4)
#: England and Wales share their bank holidays.
BANK_HOLIDAYS_OF: Mapping[Nation, str] = {
    "england": "england_and_wales",
    "wales": "england_and_wales",
    "scotland": "scotland",
    "northern_ireland": "northern_ireland",
}


def _text_only(value: object) -> object:
    """YAML reads a bare 24:00 as 1440 and a bare date as a date: durations and times must be quoted."""
    if not isinstance(value, str):
        raise ValueError(f"must be text in quotes, not {value!r}")  # noqa: TRY004 - pydantic wants ValueError
    return value


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone") from error
    return name


Duration = Annotated[timedelta, BeforeValidator(_text_only)]
TimeOfDay = Annotated[time, BeforeValidator(_text_only)]
Instant = Annotated[datetime, BeforeValidator(_text_only), AfterValidator(utc)]
Day = Annotated[date, BeforeValidator(_text_only)]
Zone = Annotated[str, AfterValidator(_zone)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mail(_Closed):
    """The school's mail relay. `password` names a secret."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    sender: str
    username: str | None = None
    password: str | None = None
    tls: Literal["none", "starttls", "tls"] = "starttls"


class School(_Closed):
    """The shape of school.yaml."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    name: str
    nation: Nation = "england"
    timezone: Zone = "Europe/London"
    closes: TimeOfDay = time(17)
    #: What is older is history: no clock, no notice.
    go_live: Instant
    #: Where people reach the desk; every mail links to it.
    public_url: str = "http://127.0.0.1:8080"
    #: How often an account is read, and how often while nothing happens on it.
    poll_every: Duration = timedelta(minutes=5)
    poll_quiet: Duration = timedelta(minutes=30)
    digest_at: TimeOfDay = time(7, 30)
    classifier: str = "local"
    #: What the classifier's own `load` takes.
    classifier_options: dict[str, Any] = {}
    mail: Mail
    #: Chromium's own sandbox around every page. Off only where it cannot start, and then shown as a warning.
    browser_sandbox: bool = True
    #: Private addresses ("host:port") that the evidence browser may open all the same. Leave empty.
    browser_may_open: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _polls_in_time(self) -> "School":
        if not timedelta(0) < self.poll_every <= self.poll_quiet <= SLOWEST_POLL:
            raise ValueError(
                "poll_every must not be longer than poll_quiet, and poll_quiet not than 4 hours (PT4H)"
            )
        return self


class _AccountEntry(_Closed):
    id: str = Field(pattern=r"^[a-z0-9-]+$")
    connector: str
    channel: Channel
    name: str
    handles: tuple[str, ...] = ()
    options: dict[str, Any] = {}
    secrets: dict[str, str] = {}


class _PersonEntry(_Closed):
    id: str = Field(pattern=r"^[a-z0-9-]+$")
    name: str
    title: str = ""
    role: str = ""
    aliases: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    email: str | None = Field(default=None, pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$")

    def person(self) -> Person:
        return Person(**self.model_dump())


class _Closure(_Closed):
    first: Day
    last: Day | None = None
    name: str


class _CalendarFile(_Closed):
    horizon: Day
    bank_holidays: dict[str, dict[Day, str]]
    closures: tuple[_Closure, ...] = ()


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
    return Path(os.environ.get("SCHOOLWATCH_CONFIG") or Path(__file__).resolve().parent.parent / "config")


def load_config(folder: Path) -> Config:
    """Read a configuration folder. Raises ConfigError naming the file and the value."""
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder; give one with school.yaml, accounts.yaml and the others")
    school = _parse(School, _mapping(folder / "school.yaml"), folder / "school.yaml")
    accounts, problems = _accounts(folder / "accounts.yaml")
    people = load_people(folder / "people.yaml")
    policy_path = folder / "policy.yaml"
    book = _parse(PolicyFile, _mapping(policy_path), policy_path)
    policy = Policy(book=book, version=_hash(policy_path))
    warnings = [f"nobody with an e-mail address holds the role {role}" for role in unheld_roles(people)]
    if not book.outside_contact:
        warnings.append("policy.yaml names no outside_contact: if everybody meant is absent, nobody is told")
    return Config(
        folder=folder,
        school=school,
        accounts=accounts,
        people=people,
        policy=policy,
        calendar=load_calendar(folder / "calendar.yaml", school.nation, school.timezone, school.closes),
        warnings=tuple(warnings),
        problems=problems,
    )


def load_people(path: Path) -> tuple[Person, ...]:
    """A roster: either a bare list of people or, as in config/people.yaml, one under `people:`."""
    data = _read(path)
    entries = data.get("people") if isinstance(data, dict) else data
    if not isinstance(entries, list):
        raise ConfigError(f"{path.name}: expected a list of people")
    people = tuple(
        _parse(_PersonEntry, entry, path, f"person {number}").person() for number, entry in enumerate(entries, 1)
    )
    ids = [person.id for person in people]
    for one in ids:
        if ids.count(one) > 1:
            raise ConfigError(f"{path.name}: the id {one!r} stands twice")
    return people


def load_calendar(path: Path, nation: Nation, timezone: str, closes: time, *, closures: bool = True) -> Calendar:
    """The working days of a school in `nation`; `closures=False` leaves its own days off out."""
    data = _parse(_CalendarFile, _mapping(path), path)
    region = BANK_HOLIDAYS_OF[nation]
    if region not in data.bank_holidays:
        raise ConfigError(f"{path.name}: no bank holidays for {region}")
    closed: dict[date, str] = {}
    for closure in data.closures if closures else ():
        day, last = closure.first, closure.last or closure.first
        while day <= last:
            closed[day] = closure.name
            day += timedelta(days=1)
    return Calendar(
        zone=ZoneInfo(timezone),
        closes=closes,
        holidays=data.bank_holidays[region],
        closures=closed,
        horizon=data.horizon,
        version=f"{_hash(path)}/{nation}/{closes:%H:%M}",
    )


def secret(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """A secret by name: the file that NAME_FILE points to, else NAME itself. Raises ConfigError naming it."""
    if path := environment.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"the secret {name} cannot be read: {error.strerror} ({name}_FILE={path})") from error
    if value := environment.get(name):
        return value
    raise ConfigError(
        f"the secret {name} is not set; put it into the environment as {name}, or its file as {name}_FILE"
    )


def _accounts(path: Path) -> tuple[tuple[Account, ...], dict[str, str]]:
    entries = _mapping(path).get("accounts")
    if not isinstance(entries, list):
        raise ConfigError(f"{path.name}: expected a list under `accounts:`")
    accounts: dict[str, Account] = {}
    problems: dict[str, str] = {}
    for number, entry in enumerate(entries, 1):
        name = str(entry.get("id", f"entry {number}")) if isinstance(entry, dict) else f"entry {number}"
        try:
            if name in accounts:
                raise ConfigError(f"{path.name}: the account id {name!r} stands twice")
            accounts[name] = Account(**_parse(_AccountEntry, entry, path, name).model_dump())
        except ConfigError as error:
            problems[name] = str(error)
    return tuple(accounts.values()), problems


def _parse(model: type[_Model], data: object, path: Path, where: str = "") -> _Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        value = "" if first["type"] in ("missing", "extra_forbidden") else f" (it is {_shown(first['input'])})"
        raise ConfigError(f"{path.name}: {f'{where}, ' if where else ''}{place}: {first['msg']}{value}") from error


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _mapping(path: Path) -> dict[str, Any]:
    data = _read(path)
    if not isinstance(data, dict):
        raise ConfigError(f"{path.name}: expected keys and values, found {type(data).__name__}")
    return data


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name} is not readable YAML: {' '.join(str(error).split())}") from error


class _StrictLoader(yaml.SafeLoader):
    """A key that stands twice is a mistake, not a choice of the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
