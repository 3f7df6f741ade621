"""The school's way out to the internet: its proxy, and the certificates of a filter that reads TLS."""

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from monitor.config.reading import Closed
from monitor.domain.errors import ConfigError

#: No path, and no password, which would end up in error texts.
_PROXY = r"^(http://[^\s/@]+/?)?$"


class Network(Closed):
    """`network:` of school.yaml. `ca_bundle`, a PEM file, lies beside school.yaml unless its path is absolute."""

    proxy: str = Field(default="", pattern=_PROXY)
    ca_bundle: str = ""

    def from_here(self, folder: Path, environment: Mapping[str, str] = os.environ) -> "Network":
        """The same with the environment's proxy where none is given, and with a certificate file that was read.

        Raises ConfigError naming what cannot be used.
        """
        proxy = self.proxy or environment.get("HTTPS_PROXY") or environment.get("https_proxy") or ""
        if not re.match(_PROXY, proxy):
            raise ConfigError(
                "the proxy of the environment's HTTPS_PROXY cannot be used: it must be like "
                "http://proxy.school:8080, without user name, password and path; school.yaml (network, proxy) may "
                "name another"
            )
        return Network(proxy=proxy, ca_bundle=str(_certificates(folder / self.ca_bundle)) if self.ca_bundle else "")


def _certificates(path: Path) -> Path:
    try:
        found = ssl.create_default_context(cafile=path).get_ca_certs()
    except ssl.SSLError as error:
        raise ConfigError(f"school.yaml: network.ca_bundle: {path} is not a PEM file of certificates") from error
    except OSError as error:
        raise ConfigError(f"school.yaml: network.ca_bundle: {path} cannot be read: {error.strerror}") from error
    if not found:
        raise ConfigError(
            f"school.yaml: network.ca_bundle: {path} holds no authority's certificate; ask whoever runs the filter "
            "for its root certificate"
        )
    return path
