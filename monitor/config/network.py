"""The school's way out to the internet: its proxy, and the certificates of a filter that reads TLS."""

import re
import ssl
from pathlib import Path

from pydantic import field_validator

from monitor.config.reading import Closed, SecretName, confidential
from monitor.domain.errors import ConfigError

_PROXY = re.compile(r"http://[^\s/@]+/?")


class Network(Closed):
    """`network:` of school.yaml. `ca_bundle`, a PEM file, lies beside school.yaml unless its path is absolute.

    `proxy_login` names the secret with the proxy's "user:password".
    """

    proxy: str = ""
    proxy_login: SecretName | None = None
    ca_bundle: str = ""

    @field_validator("proxy")
    @classmethod
    def _is_a_proxy(cls, proxy: str) -> str:
        if proxy and not is_proxy(proxy):
            raise confidential(
                "must be like http://proxy.school.example:8080; the user name and password that it asks for are a "
                "secret, which `proxy_login` names"
            )
        return proxy

    def certificates(self, folder: Path) -> Path | None:
        """The file that `ca_bundle` names, None where it names none. Raises ConfigError for one of no use."""
        if not self.ca_bundle:
            return None
        path = folder / self.ca_bundle
        try:
            found = ssl.create_default_context(cafile=path).get_ca_certs()
        except ssl.SSLError as error:
            raise ConfigError(
                f"school.yaml: network.ca_bundle: {path} is not a PEM file of certificates"
            ) from error
        except OSError as error:
            raise ConfigError(f"school.yaml: network.ca_bundle: {path} cannot be read: {error.strerror}") from error
        if not found:
            raise ConfigError(
                f"school.yaml: network.ca_bundle: {path} holds no authority's certificate; ask whoever runs the "
                "filter for its root certificate"
            )
        return path


def is_proxy(address: str) -> bool:
    """Whether `address` is http://HOST:PORT, without path, user name and password."""
    return _PROXY.fullmatch(address) is not None
