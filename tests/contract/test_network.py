"""The way out of a school's network: a filter that inspects TLS, the school's proxy, and how failures are told."""

import base64
import re
import socket
import ssl
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import httpx
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from connectors._http import ApiSession, Reach, Service, fetch
from connectors._network import why
from monitor.domain.errors import SourceError
from tests.contract.places import PRESENT

CLIENTS = ("requests", "httpx")
SERVICE = Service(name="The platform", account="a", remedy="Ask.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Files (PEM): an authority that nobody knows, and what it says of 127.0.0.1 together with the key."""

    authority: Path
    server: Path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("tls")
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name("Larkfield network")

    def certificate(subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> bytes:
        return (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(PRESENT - timedelta(days=3650))
            .not_valid_after(PRESENT + timedelta(days=36500))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(authority_key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )

    found = Certificates(authority=folder / "authority.pem", server=folder / "server.pem")
    found.authority.write_bytes(certificate(issuer, authority_key, authority=True))
    private = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    found.server.write_bytes(private + certificate(_name("127.0.0.1"), server_key, authority=False))
    return found


@pytest.fixture(scope="module")
def inspected(certificates: Certificates) -> Iterator[str]:
    """The address of a platform behind a filter that inspects TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"data": []}')

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with _serving(server):
        yield f"https://127.0.0.1:{server.server_address[1]}"


@dataclass(slots=True, kw_only=True)
class Proxy:
    """The school's proxy. `refuses`: with what, "" to let everybody through."""

    address: str = ""
    refuses: str = ""
    asked: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    told = Proxy()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                read = self.request.recv(4096)
                if not read:
                    return
                head += read
            line = head.split(b"\r\n")[0].decode()
            told.asked.append(line)
            told.logins += re.findall(r"(?im)^proxy-authorization: *(.*?)\r$", head.decode())
            if told.refuses:
                self.request.sendall(f"HTTP/1.1 {told.refuses}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            host, _, port = line.split()[1].partition(":")
            with socket.create_connection((host, int(port))) as beyond:
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = Thread(target=_relay, args=(beyond, self.request))
                back.start()
                _relay(self.request, beyond)
                back.join()

    server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.address = f"http://127.0.0.1:{server.server_address[1]}"
    with _serving(server):
        yield told


def _ask(client: str, address: str, **how: object) -> bytes:
    """The answer's body, through what connectors are given."""
    reach = Reach(timeout=10, **how)  # type: ignore[arg-type]
    if client == "requests":
        session = ApiSession(service=SERVICE, base_url=address, token="t", reach=reach, now=PRESENT)
        return session.get(address).content
    with reach.client() as asking:
        answer = fetch(asking, SERVICE, address, reach=reach)
    if error := SERVICE.intercepted(answer, httpx.URL(address).host):
        raise error
    return answer.body


@pytest.mark.parametrize("client", CLIENTS)
def test_the_networks_own_certificate_is_trusted(client: str, inspected: str, certificates: Certificates) -> None:
    assert _ask(client, inspected, ca_bundle=certificates.authority) == b'{"data": []}'


def test_the_usual_authorities_are_trusted_beside_it(certificates: Certificates) -> None:
    usual = Reach(timeout=1).trusted().cert_store_stats()["x509_ca"]
    both = Reach(timeout=1, ca_bundle=certificates.authority).trusted().cert_store_stats()["x509_ca"]

    assert usual > 50
    assert both == usual + 1


@pytest.mark.parametrize("client", CLIENTS)
def test_an_unknown_certificate_says_that_tls_is_inspected_and_where_to_put_it(client: str, inspected: str) -> None:
    with pytest.raises(SourceError, match=r"inspect encrypted connections \(TLS\).*`network: ca_bundle`"):
        _ask(client, inspected)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "content", [None, "", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"]
)
def test_a_file_of_certificates_that_cannot_be_read_is_a_persons_business(
    client: str, content: str | None, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(SourceError, match="`network: ca_bundle`") as caught:
        _ask(client, "https://127.0.0.1:9", ca_bundle=bundle)

    assert caught.value.permanent


@pytest.mark.parametrize("client", CLIENTS)
def test_the_schools_proxy_is_the_way_out(
    client: str, inspected: str, certificates: Certificates, proxy: Proxy
) -> None:
    assert _ask(client, inspected, ca_bundle=certificates.authority, proxy=proxy.address) == b'{"data": []}'
    assert [line.split()[0] for line in proxy.asked] == ["CONNECT"]


@pytest.mark.parametrize("client", CLIENTS)
def test_the_environments_proxy_is_not_taken(
    client: str, inspected: str, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, proxy: Proxy
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.address)
    _ask(client, inspected, ca_bundle=certificates.authority)

    assert proxy.asked == []


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("address", ["https://platform.invalid", "http://platform.invalid"])
def test_a_proxy_that_wants_a_password_is_named(client: str, address: str, proxy: Proxy) -> None:
    proxy.refuses = "407 Proxy Authentication Required"
    with pytest.raises(SourceError, match=r"proxy .* wants a user name and password \(407\)"):
        _ask(client, address, proxy=proxy.address)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_proxy_is_told_its_login_and_no_error_repeats_it(
    client: str, inspected: str, certificates: Certificates, proxy: Proxy
) -> None:
    login = SecretStr("desk:h\u00fcnter2")
    _ask(client, inspected, ca_bundle=certificates.authority, proxy=proxy.address, proxy_login=login)
    proxy.refuses = "407 Proxy Authentication Required"
    with pytest.raises(SourceError) as caught:
        _ask(client, "http://platform.invalid", proxy=proxy.address, proxy_login=login)

    told = "Basic " + base64.b64encode("desk:h\u00fcnter2".encode()).decode()
    assert proxy.logins == [told, told]
    assert "nter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_proxy_that_lets_nobody_through_is_named(client: str, proxy: Proxy) -> None:
    proxy.refuses = "403 Forbidden"
    with pytest.raises(SourceError, match=r"proxy .* does not let us through \(403\).*check --hosts"):
        _ask(client, "https://platform.invalid", proxy=proxy.address)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_proxy_that_cannot_be_reached_is_named(client: str) -> None:
    with socket.socket() as taken:
        # Bound and not listening: nobody else can answer there.
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SourceError, match=r"proxy .* cannot be reached"):
            _ask(client, "https://platform.invalid", proxy=nobody)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "not found (DNS)"),
        (TimeoutError(), "in time"),
        (ConnectionResetError(), "a network filter may be doing it"),
        (ssl.SSLEOFError(), "a network filter may be doing it"),
        (ConnectionRefusedError(), "did not answer properly"),
    ],
)
@pytest.mark.parametrize("wrapper", [httpx.ConnectError, requests.ConnectionError])
def test_why_there_was_no_answer_is_told_apart(cause: Exception, words: str, wrapper: type[Exception]) -> None:
    try:
        raise wrapper("no answer") from cause
    except wrapper as error:
        assert words in why(error, proxied=False)


def test_an_error_that_is_its_own_cause_is_told_all_the_same() -> None:
    error = requests.ConnectionError()
    error.args = (error,)

    assert "ConnectionError" in why(error, proxied=False)


def _name(of: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, of)])


def _relay(source: socket.socket, target: socket.socket) -> None:
    try:
        while read := source.recv(4096):
            target.sendall(read)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def _serving(server: ThreadingTCPServer) -> Iterator[None]:
    server.block_on_close = False
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
