"""From the register of accounts to connectors: their secrets, folder and way out, and which may be read at all."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import connectors
from monitor.adapters.secrets import FileSecrets
from monitor.bootstrap.network import WayOut, with_network
from monitor.config import Config
from monitor.domain.account import Access, Account, Capabilities
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import Channel
from monitor.domain.ports import Connector

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """Accounts as connectors see them, connectors by account id, and what kept the others from being made."""

    accounts: tuple[Account, ...]
    connectors: Mapping[str, Connector]
    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What is known of one account: what it can do, what the platform says of its token, what is wrong with it."""

    account: Account
    can: Capabilities | None = None
    access: Access = field(default_factory=Access)
    problem: str = ""


def connect_all(
    config: Config, network: WayOut, data: Path, environment: Mapping[str, str], now: datetime
) -> Connected:
    """A connector for every account that may be read."""
    ready: dict[str, Connector] = {}
    problems = dict(config.problems)
    for account in config.accounts:
        _make_folder(account, data)
    accounts = tuple(_prepared(account, network, data) for account in config.accounts)
    for account in accounts:
        try:
            ready[account.id] = _connect(config, account, data, environment, now)
        except ConfigError as error:
            problems[account.id] = str(error)
            logger.error("account %s is not read: %s", account.id, error)
    return Connected(accounts=accounts, connectors=ready, problems=problems)


def examine(
    config: Config, network: WayOut, data: Path, environment: Mapping[str, str], now: datetime, *, ask: bool
) -> list[Examined]:
    """Every account of the configuration in turn; its platform is asked about the token if `ask`."""
    accounts = [_prepared(account, network, data) for account in config.accounts]
    return [_examined(config, account, data, environment, now, ask) for account in accounts]


def _examined(
    config: Config, account: Account, data: Path, environment: Mapping[str, str], now: datetime, ask: bool
) -> Examined:
    can = None
    try:
        can = connectors.describe(account)
        connector = _connect(config, account, data, environment, now)
        return Examined(
            account=account, can=connector.capabilities(), access=connector.access(now) if ask else Access()
        )
    except (ConfigError, SourceError) as error:
        return Examined(account=account, can=can, problem=str(error))


def _connect(
    config: Config, account: Account, data: Path, environment: Mapping[str, str], now: datetime
) -> Connector:
    """Raises ConfigError, also where the account may not be read (P27)."""
    if account.channel is Channel.MENTION and connectors.describe(account).hosts:
        today = config.calendar.local(now).date()
        if missing := config.school.mentions.missing_assessment(today):
            raise ConfigError(f"account {account.id}: {missing}")
    secrets = FileSecrets(account, data / "secrets", environment)
    _need_all(secrets)
    return connectors.connect(account, secrets)


def _need_all(secrets: Mapping[str, str]) -> None:
    """Raises ConfigError that names every secret which is not there, before anything is made."""
    missing = []
    for name in secrets:
        try:
            secrets[name]
        except ConfigError as error:
            missing.append(str(error))
    if missing:
        raise ConfigError("; ".join(missing))


def _prepared(account: Account, network: WayOut, data: Path) -> Account:
    """What staff hand in, a folder or a file, lies in the data folder unless its path is absolute."""
    path = account.options.get("path")
    if isinstance(path, str):
        account = replace(account, options={**account.options, "path": str(data / path)})
    return with_network(account, network)


def _make_folder(account: Account, data: Path) -> None:
    """Where staff put what they hand in."""
    path = account.options.get("path")
    if isinstance(path, str) and not Path(path).is_absolute():
        place = data / path
        (place.parent if place.suffix else place).mkdir(parents=True, exist_ok=True)
