"""Trust in a school's own certificates for a browser that cannot be given any.

Chromium takes further authorities from a database that needs a tool to write, and its switch that trusts a listed
key asks for no signature: whoever sends the authority's public certificate along would be trusted. So the vetting
proxy checks each server's certificate itself, against the usual authorities and the school's, and shows the browser
a key that was made for this run of the browser and is forgotten with it. Nobody else is told to trust this key, and
the browser reaches nothing but the proxy (docs/decisions/0009).
"""

import base64
import hashlib
import os
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

#: Longer than any browser runs without a pause.
_VALID = timedelta(days=30)


class Interception:
    """TLS on both sides of the proxy. `certificates` is a PEM file with every authority to trust."""

    def __init__(self, certificates: Path) -> None:
        self._signers: dict[str, str] = {}
        self._outward = ssl.create_default_context(cafile=certificates)
        self._inward = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # A server that a browser would refuse must not look like a good one for being seen through us.
        self._outward.minimum_version = ssl.TLSVersion.TLSv1_2
        # The authorities of many filters lack what RFC 5280 asks for; Python 3.13 began to insist on it
        # (https://docs.python.org/3/whatsnew/3.13.html#ssl).
        self._outward.verify_flags &= ~ssl.VERIFY_X509_STRICT
        for context in (self._outward, self._inward):
            context.set_alpn_protocols(["http/1.1"])  # one protocol, so that both sides speak the same
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        #: What Chromium knows the key by: SHA-256 of its SubjectPublicKeyInfo, in base64.
        self.fingerprint = base64.b64encode(hashlib.sha256(public).digest()).decode()
        password = os.urandom(32).hex()
        with TemporaryDirectory() as folder:  # the standard library loads a key from a file only
            pem = Path(folder) / "key.pem"
            pem.write_bytes(_private(key, password) + _certificate(key))
            self._inward.load_cert_chain(pem, password=password)

    def to_server(self, connection: socket.socket, host: str) -> ssl.SSLSocket:
        """TLS with `host` over `connection`. Raises OSError (ssl.SSLError) where its certificate is not good."""
        secured = self._outward.wrap_socket(connection, server_hostname=host)
        self._signers[host] = _signer(secured)
        return secured

    def signer_of(self, url: str) -> str:
        """Who signed the certificate that the server of `url` showed last, "" where none was seen."""
        return self._signers.get(urlsplit(url).hostname or "", "")

    def to_browser(self, connection: socket.socket) -> ssl.SSLSocket:
        """TLS with the browser. Raises OSError where it does not want any."""
        return self._inward.wrap_socket(connection, server_side=True)


def _signer(connection: ssl.SSLSocket) -> str:
    """The issuer that the other side's certificate names, "" where it names none."""
    shown: Any = connection.getpeercert() or {}
    issuer = {kind: value for relative in shown.get("issuer", ()) for kind, value in relative}
    return str(issuer.get("commonName") or issuer.get("organizationName") or "")


def _private(key: ec.EllipticCurvePrivateKey, password: str) -> bytes:
    """Encrypted, so that nothing of use is left on a disk."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )


def _certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Schoolwatch evidence browser")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
