"""What every connector's options and secrets have in common."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, SecretStr

from connectors._network import Reach
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError


class ConnectorOptions(BaseModel):
    """Options of one account; unknown names are refused, and a refusal never repeats the value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    #: The longest that one answer may take, in seconds, from first byte to last.
    timeout: float = Field(default=30, gt=0, le=300)
    #: The school's own way out (school.yaml, `network`): a proxy, and certificates to trust beside the usual ones.
    proxy: str = Field(default="", pattern=r"^(https?://[^\s/@]+/?)?$")
    #: "user:password" of that proxy. No file can give one: it is a secret, which school.yaml names.
    proxy_login: InstanceOf[SecretStr] | None = None
    ca_bundle: Path | None = None

    @property
    def reach(self) -> Reach:
        return Reach(timeout=self.timeout, proxy=self.proxy, proxy_login=self.proxy_login, ca_bundle=self.ca_bundle)


def hosts_of(*addresses: str) -> tuple[str, ...]:
    """The host names in `addresses`, each once."""
    return tuple(dict.fromkeys(filter(None, (urlsplit(address).hostname for address in addresses))))


def need_secret(account: Account, secrets: Mapping[str, str], name: str) -> str:
    """The secret that `account` lists under `name`. Raises ConfigError that says where to put it."""
    value = secrets.get(name, "").strip()
    if not value:
        raise ConfigError(
            f"account {account.id}: the secret {name!r} is missing; name it under `secrets:` in accounts.yaml "
            "and set the environment variable (or mount the file) that it names"
        )
    return value
