"""The school's way out, made ready for whoever goes it: connectors, mail and the evidence browser."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import certifi
from pydantic import SecretStr

from monitor.adapters.secrets import secret
from monitor.config import Config, is_proxy
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """How this computer reaches the internet.

    `proxy` is "http://HOST:PORT" or "", `proxy_login` its "user:password". `ca_bundle` is a file with all
    authorities to trust, "" for the usual ones. `no_proxy` is as in $NO_PROXY.
    """

    proxy: str = ""
    proxy_login: SecretStr | None = None
    ca_bundle: str = ""
    no_proxy: str = ""


def way_out(config: Config, data: Path, environment: Mapping[str, str]) -> WayOut:
    """What school.yaml and, where that names no proxy, the environment's HTTPS_PROXY say. Raises ConfigError."""
    network = config.school.network
    proxy, login = network.proxy, None
    if not proxy:
        proxy, login = _proxy_of(environment)
    if network.proxy_login:
        login = SecretStr(secret(network.proxy_login, environment))
    if login and ":" not in login.get_secret_value():
        where = f"the secret {network.proxy_login}" if network.proxy_login else "the login in HTTPS_PROXY"
        raise ConfigError(f"{where} cannot be used: it must be USER:PASSWORD, for the school's proxy asks for both")
    own = network.certificates(config.folder)
    return WayOut(
        proxy=proxy,
        proxy_login=login,
        ca_bundle=str(_all_certificates(own, data)) if own else "",
        no_proxy=_either(environment, "NO_PROXY"),
    )


def with_network(account: Account, network: WayOut) -> Account:
    """The account with the school's way out among its options, where it has none of its own.

    A proxy of its own is not told the login of the school's. What is on this computer, or listed in $NO_PROXY, is
    asked without any.
    """
    way = {"proxy": network.proxy, "proxy_login": network.proxy_login, "ca_bundle": network.ca_bundle}
    own = account.options
    if "proxy" in own or any(_is_direct(value, network.no_proxy) for value in own.values()):
        del way["proxy"], way["proxy_login"]
    return replace(account, options={**{name: value for name, value in way.items() if value}, **own})


def _proxy_of(environment: Mapping[str, str]) -> tuple[str, SecretStr | None]:
    """The environment's proxy, and the login that stands in its address. Raises ConfigError."""
    start, at, end = _either(environment, "HTTPS_PROXY").rpartition("@")
    scheme, slashes, login = start.partition("://")
    proxy = f"{scheme}{slashes}{end}"
    if proxy and not is_proxy(proxy):
        raise ConfigError(
            "the proxy of the environment's HTTPS_PROXY cannot be used: it must be like http://proxy.school:8080 "
            "or http://USER:PASSWORD@proxy.school:8080; school.yaml (network, proxy) may name another"
        )
    return proxy, SecretStr(unquote(login)) if at else None


def _either(environment: Mapping[str, str], name: str) -> str:
    """A variable that is written in capitals or not, as custom has it."""
    return (environment.get(name) or environment.get(name.lower()) or "").strip()


def _all_certificates(own: Path, data: Path) -> Path:
    """The usual authorities and the school's `own` in one file, since whoever is given a file trusts that alone."""
    everything = data / "certificates.pem"
    draft = everything.with_suffix(".draft")
    try:
        data.mkdir(parents=True, exist_ok=True)
        # As bytes: what stands between the certificates may be in any encoding.
        draft.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + own.read_bytes())
        draft.replace(everything)
    except OSError as error:
        raise ConfigError(
            f"the certificates to trust cannot be written to {everything}: {error.strerror}"
        ) from error
    return everything.resolve()


def _is_direct(value: object, no_proxy: str) -> bool:
    """Whether an option is the address of something that no proxy is asked for."""
    if not isinstance(value, str) or "://" not in value:
        return False
    try:
        host = urlsplit(value).hostname or ""
        return host == "localhost" or _is_listed(host, no_proxy) or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, or no address at all
        return False


def _is_listed(host: str, no_proxy: str) -> bool:
    """Whether $NO_PROXY names the host or what it is below: "larkfield.example,.lan", or "*" for everything."""
    names = [name.strip().lower().removeprefix("*.").removeprefix(".") for name in no_proxy.split(",")]
    return "*" in names or any(name and f".{host}".endswith(f".{name}") for name in names)
