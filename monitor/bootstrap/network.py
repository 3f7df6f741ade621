"""The school's way out, made ready for whoever goes it: connectors, mail and the evidence browser."""

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import certifi

from monitor.config import Config, Network
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError


def way_out(config: Config, data: Path, environment: Mapping[str, str]) -> Network:
    """The school's network with the environment's proxy, and with `ca_bundle` naming all certificates to trust.

    Those are the usual ones and the school's, in one file in `data`, since whoever is given a file trusts that
    alone. Raises ConfigError.
    """
    network = config.school.network.from_here(config.folder, environment)
    if not network.ca_bundle:
        return network
    everything = data / "certificates.pem"
    draft = everything.with_suffix(".draft")
    try:
        data.mkdir(parents=True, exist_ok=True)
        draft.write_text(
            f"{certifi.contents()}\n{Path(network.ca_bundle).read_text(encoding='utf-8')}", encoding="utf-8"
        )
        draft.replace(everything)
    except OSError as error:
        raise ConfigError(
            f"the certificates to trust cannot be written to {everything}: {error.strerror}"
        ) from error
    return network.model_copy(update={"ca_bundle": str(everything.resolve())})


def with_network(account: Account, network: Network) -> Account:
    """The account with the school's way out among its options, where it has none of its own.

    What is on this computer is never asked through a proxy.
    """
    way = {name: value for name, value in network if value}
    if any(map(_on_this_computer, account.options.values())):
        way.pop("proxy", None)
    return replace(account, options={**way, **account.options})


def _on_this_computer(value: object) -> bool:
    if not isinstance(value, str) or "://" not in value:
        return False
    try:
        host = urlsplit(value).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, or no address at all
        return False
