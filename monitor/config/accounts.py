"""accounts.yaml: the register of accounts (P14). One bad entry is a problem of that account alone."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from monitor.config.mentions import Mentions, person_in, texts_in
from monitor.config.reading import Closed, SecretName, parse, read_mapping
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError
from monitor.domain.item import Channel
from monitor.domain.mentions import SchoolNames
from monitor.domain.people import Person


class _AccountEntry(Closed):
    id: str = Field(pattern=r"^[a-z0-9-]+$")
    connector: str
    channel: Channel
    name: str
    handles: tuple[str, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, SecretName] = Field(default_factory=dict)


def load_accounts(path: Path, people: Sequence[Person]) -> tuple[tuple[Account, ...], dict[str, str]]:
    """The accounts that can be used, and by id what is wrong with the others. Raises ConfigError for the file."""
    entries = read_mapping(path).get("accounts")
    if not isinstance(entries, list):
        raise ConfigError(f"{path.name}: expected a list under `accounts:`")
    accounts: dict[str, Account] = {}
    problems: dict[str, str] = {}
    for number, entry in enumerate(entries, 1):
        name = str(entry.get("id", f"entry {number}")) if isinstance(entry, dict) else f"entry {number}"
        try:
            if name in accounts:
                raise ConfigError(f"{path.name}: the account id {name!r} stands twice")
            account = Account(**parse(_AccountEntry, entry, path, name).model_dump())
            _refuse_people(account, people, path)
            accounts[name] = account
        except ConfigError as error:
            problems[name] = str(error)
    return tuple(accounts.values()), problems


def with_names(accounts: Iterable[Account], mentions: Mentions) -> tuple[Account, ...]:
    """The accounts, each knowing what the school is called and the handle that each official one goes by.

    That is the first of its `handles`: the others may be those of staff, whom nobody searches for (P27).
    """
    accounts = tuple(accounts)
    first = (one for account in accounts if account.channel is Channel.OFFICIAL for one in account.handles[:1])
    # Native ids of digits alone are nothing that people write, and display names are no handles.
    own = (one for one in first if not one.isdigit() and " " not in one)
    names = SchoolNames(
        **mentions.model_dump(exclude={"dpia", "handles"}), handles=tuple(dict.fromkeys((*mentions.handles, *own)))
    )
    return tuple(replace(account, names=names) for account in accounts)


def with_private_messages(
    accounts: Sequence[Account], allowed: Sequence[str], problems: Iterable[str]
) -> tuple[Account, ...]:
    """The accounts, those that the rule book lists with its leave to read private messages (P17).

    Raises ConfigError for an id that is no official account's; one of `problems` may be meant.
    """
    official = {account.id for account in accounts if account.channel is Channel.OFFICIAL}
    for unknown in set(allowed) - official - set(problems):
        raise ConfigError(
            f"policy.yaml: private_messages: there is no official account {unknown!r} in accounts.yaml"
        )
    return tuple(replace(account, private_messages=account.id in allowed) for account in accounts)


def _refuse_people(account: Account, people: Sequence[Person], path: Path) -> None:
    """Nobody is searched for by name (P27). Raises ConfigError."""
    if account.channel is not Channel.MENTION:
        return
    for text in texts_in(account.options):
        if person := person_in(text, people):
            raise ConfigError(
                f"{path.name}: {account.id}: the options name {person.name}, and nobody is searched for by name: "
                "search for the school instead"
            )
