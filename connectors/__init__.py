"""Connectors: one module a platform, found by its name (`connector:` in accounts.yaml).

A connector module holds `Options` (a ConnectorOptions), `connect(account, options, secrets)` and whatever it needs;
modules whose names begin with an underscore are shared helpers. A new file is a new kind.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module

from pydantic import ValidationError

from monitor.domain.account import Account, Capabilities
from monitor.domain.errors import ConfigError
from monitor.domain.ports import Connector, Secrets


def kinds() -> list[str]:
    """The names that `connector:` may have, sorted. Imports nothing."""
    modules = pkgutil.iter_modules(__path__)
    return sorted(module.name for module in modules if not module.ispkg and not module.name.startswith("_"))


def connect(account: Account, secrets: Mapping[str, str]) -> Connector:
    """The connector of one account; nothing is asked of the platform yet.

    `secrets` maps the names under the account's `secrets:` (such as "token") to their values; a Secrets also keeps
    those that the platform changes. Raises ConfigError, naming the account and the option.
    """
    if account.connector not in kinds():
        choices = ", ".join(kinds())
        raise ConfigError(
            f"account {account.id}: there is no connector {account.connector!r}; choose from {choices}"
        )
    module = import_module(f"{__name__}.{account.connector}")
    try:
        options = module.Options.model_validate(dict(account.options))
    except ValidationError as error:
        raise ConfigError(f"account {account.id}: {_say(error)}") from None
    connector: Connector = module.connect(account, options, secrets)
    return connector


def describe(account: Account) -> Capabilities:
    """What the account's connector can read and do once its secrets are set. Raises ConfigError."""
    return connect(account, _NotSet(account.secrets)).capabilities()


class _NotSet(Secrets):
    """A word in the place of each secret, so that a connector can be made that asks nothing."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def __getitem__(self, name: str) -> str:
        if name not in self._names:
            raise KeyError(name)
        return "not-set"

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def keep(self, name: str, value: str) -> None:
        raise ConfigError(f"the secret {name!r} is not set")


def _say(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"option {'.'.join(str(step) for step in fault['loc'])!r}: {fault['msg']}" for fault in faults)
