"""Mail goes out over real SMTP, whatever is in it; a refusal says whether trying again can help."""

import email
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from email.policy import default as MODERN
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from monitor.adapters.mailbox import Mailbox, Refusal
from monitor.adapters.smtp import SmtpMailer, header_text
from monitor.bootstrap import make_mailer
from monitor.bootstrap.network import WayOut
from monitor.config import Mail
from monitor.domain.errors import ConfigError, MailError
from monitor.domain.ports import Mailer

MESSAGE_ID = "<case-17-level-1@harrowby.example>"


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(tmp_path / "mail") as mailbox:
        yield mailbox


def mailer_for(port: int, **options: Any) -> SmtpMailer:
    settings: dict[str, Any] = {"sender": "Schoolwatch <watch@harrowby.example>", "tls": "none", "timeout": 5.0}
    return SmtpMailer(host="127.0.0.1", port=port, **(settings | options))


def send(mailer: Mailer, **replaced: str) -> None:
    fields = {
        "message_id": MESSAGE_ID,
        "recipient": "head@harrowby.example",
        "subject": "A threat needs you",
        "text": "Please look at case 17.\n",
        "html": "<p>Please look at <b>case 17</b>.</p>",
    }
    mailer.send(**(fields | replaced))


def raw(mailbox: Mailbox) -> email.message.EmailMessage:
    (path,) = mailbox.folder.glob("*.eml")
    return email.message_from_bytes(path.read_bytes(), policy=MODERN)


@contextmanager
def a_server_that_says(*lines: bytes) -> Iterator[int]:
    """A mail server that answers each command with the next line, and hangs up after the last. Yields its port."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in lines:
                self.wfile.write(line + b"\r\n")
                if not self.rfile.readline():
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def test_a_message_arrives_as_text_and_as_html(mailbox: Mailbox) -> None:
    send(mailer_for(mailbox.port))
    (mail,) = mailbox.messages()
    assert mail.recipients == ("head@harrowby.example",)
    assert mail.sender == "Schoolwatch <watch@harrowby.example>"
    assert mail.subject == "A threat needs you"
    assert mail.text == "Please look at case 17.\n"
    assert mail.html.strip() == "<p>Please look at <b>case 17</b>.</p>"
    assert raw(mailbox).get_content_type() == "multipart/alternative"


def test_the_message_id_is_the_one_given_so_that_a_repeat_can_be_told(mailbox: Mailbox) -> None:
    long_id = f"<{'0123456789' * 12}@harrowby.example>"
    send(mailer_for(mailbox.port), message_id=long_id)
    assert mailbox.messages()[0].message_id == long_id


def test_no_holiday_answer_is_asked_for_and_the_date_is_there(mailbox: Mailbox) -> None:
    send(mailer_for(mailbox.port))
    message = raw(mailbox)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.utcoffset() is not None


@pytest.mark.parametrize(
    "name",
    [
        "a\r\nBcc: everyone@example.com",
        "a\nb",
        "a\u2028b",
        "a\u202eb",
        "a\x00b",
        "a\ud800b",
        "a\u200bb",
        "\u2066" * 500,
    ],
)
def test_a_hostile_name_in_the_subject_blocks_nothing_and_adds_nothing(mailbox: Mailbox, name: str) -> None:
    send(mailer_for(mailbox.port), subject=f"Comment by {name}", text=name, html=name)
    message = raw(mailbox)
    assert message["Bcc"] is None
    assert str(message["Subject"]).startswith("Comment by")
    assert mailbox.messages()[0].recipients == ("head@harrowby.example",)


def test_every_language_and_emoji_arrives_whole(mailbox: Mailbox) -> None:
    text = "Ünï 🔪 عربي " + "x" * 2000 + "\n.\nafter the dot\n"
    send(mailer_for(mailbox.port), subject="🔪 عربي", text=text, html=text)
    (mail,) = mailbox.messages()
    assert mail.subject == "🔪 عربي"
    assert mail.text == text


@pytest.mark.parametrize(
    "address", ["a@b.example, c@d.example", "head", "", "a@b.example\r\nRCPT TO:<x@y.example>"]
)
def test_what_is_not_one_address_is_refused_for_good(mailbox: Mailbox, address: str) -> None:
    with pytest.raises(MailError, match="no e-mail address") as caught:
        send(mailer_for(mailbox.port), recipient=address)
    assert caught.value.permanent
    assert mailbox.messages() == []


def test_a_recipient_refused_for_good_is_permanent(mailbox: Mailbox) -> None:
    mailbox.refusal = Refusal.NEVER
    with pytest.raises(MailError, match=r"head@harrowby\.example: 550 5\.1\.1 There is nobody") as caught:
        send(mailer_for(mailbox.port))
    assert caught.value.permanent


def test_a_recipient_refused_for_now_is_worth_another_try(mailbox: Mailbox) -> None:
    mailbox.refusal = Refusal.LATER
    with pytest.raises(MailError, match="451") as caught:
        send(mailer_for(mailbox.port))
    assert not caught.value.permanent
    mailbox.refusal = None
    send(mailer_for(mailbox.port))
    assert len(mailbox.messages()) == 1


def test_a_connection_lost_after_the_message_is_worth_another_try_and_the_repeat_shows(mailbox: Mailbox) -> None:
    mailbox.refusal = Refusal.HANG_UP
    with pytest.raises(MailError) as caught:
        send(mailer_for(mailbox.port))
    assert not caught.value.permanent
    mailbox.refusal = None
    send(mailer_for(mailbox.port))
    assert [mail.message_id for mail in mailbox.messages()] == [MESSAGE_ID] * 2


def test_a_server_that_is_not_there_is_worth_another_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(MailError, match=f"127.0.0.1:{port} cannot be used") as caught:
        send(mailer_for(port))
    assert not caught.value.permanent


def test_a_server_that_says_nothing_is_left_after_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MailError, match="timed out"):
        send(mailer_for(silent.getsockname()[1], timeout=0.3))


def test_a_clumsy_good_bye_after_acceptance_is_no_failure() -> None:
    """Or the same mail would go out again and again."""
    accepted = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 hi\r\n")
            while line := self.rfile.readline():
                if line.upper().startswith(b"DATA"):
                    self.wfile.write(b"354 go\r\n")
                    while self.rfile.readline() != b".\r\n":
                        pass
                    accepted.set()
                if line.upper().startswith(b"QUIT"):
                    self.wfile.write(b"500 what?\r\n")
                    return
                self.wfile.write(b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        send(mailer_for(server.server_address[1]))
        server.shutdown()
    assert accepted.is_set()


@pytest.mark.parametrize("reply", [b"554 no, never", b"421 busy"])
def test_a_server_that_turns_everyone_away_is_worth_another_try(reply: bytes) -> None:
    with a_server_that_says(reply) as port, pytest.raises(MailError, match=reply.decode()) as caught:
        send(mailer_for(port))
    assert not caught.value.permanent


def test_a_server_that_talks_nonsense_is_worth_another_try() -> None:
    with a_server_that_says(b"<html>hello</html>") as port, pytest.raises(MailError) as caught:
        send(mailer_for(port))
    assert not caught.value.permanent


def test_a_password_never_travels_in_clear() -> None:
    with pytest.raises(ConfigError, match="TLS"):
        mailer_for(25, username="watch", password="hunter2")


def test_a_server_without_starttls_gets_neither_message_nor_password(mailbox: Mailbox) -> None:
    with pytest.raises(MailError, match="STARTTLS") as caught:
        send(mailer_for(mailbox.port, tls="starttls", username="watch", password="hunter2"))
    assert "hunter2" not in repr(caught.value)
    assert mailbox.messages() == []


def test_header_text_keeps_words_and_drops_what_cannot_be_seen() -> None:
    assert header_text(" a\r\n b\u202e\u0000 🔪 é ") == "a b 🔪 é"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody vouches for, with its key in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here to make a certificate with")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-subj", "/CN=mail", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "-"]
    path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    return path


@pytest.fixture(params=["starttls", "tls"])
def secure(request: pytest.FixtureRequest, certificate: Path) -> Iterator[tuple[str, int, list[bytes]]]:
    """A server that takes mail over TLS from watch/hunter2 only: which TLS, its port, and what it took."""
    taken: list[bytes] = []

    class Handler:
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            assert isinstance(envelope.content, bytes)
            taken.append(envelope.content)
            return "250 OK"

    def authenticate(*args: Any) -> AuthResult:
        data = args[-1]
        good = (data.login, data.password) == (b"watch", b"hunter2")
        said = "535 5.7.8 no such pair: " + data.password.decode()  # some servers do quote what they were given
        return AuthResult(success=good, handled=False, message=None if good else said)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        Handler(),
        hostname="127.0.0.1",
        port=port,
        authenticator=authenticate,
        **(
            {"tls_context": context, "require_starttls": True, "auth_required": True}
            if request.param == "starttls"
            else {"ssl_context": context, "auth_require_tls": False}
        ),
    )
    controller.start()
    yield request.param, port, taken
    controller.stop()


def test_mail_goes_over_tls_with_a_password(secure: tuple[str, int, list[bytes]], certificate: Path) -> None:
    tls, port, taken = secure
    trusted = ssl.create_default_context(cafile=certificate)
    send(mailer_for(port, tls=tls, context=trusted, username="watch", password="hunter2"))
    assert b"Please look at case 17." in taken[0]


def test_the_schools_own_certificates_are_trusted_for_mail_too(
    secure: tuple[str, int, list[bytes]], certificate: Path
) -> None:
    tls, port, taken = secure
    mail = Mail.model_validate(
        {"host": "127.0.0.1", "port": port, "sender": "watch@harrowby.example", "tls": tls}
        | {"username": "watch", "password": "SMTP_PASSWORD"}
    )
    secrets = {"SMTP_PASSWORD": "hunter2"}
    with pytest.raises(MailError, match="certificate"):
        send(make_mailer(mail, WayOut(), secrets))
    send(make_mailer(mail, WayOut(ca_bundle=str(certificate)), secrets))
    assert len(taken) == 1


def test_a_wrong_password_is_told_without_showing_it(
    secure: tuple[str, int, list[bytes]], certificate: Path
) -> None:
    tls, port, taken = secure
    trusted = ssl.create_default_context(cafile=certificate)
    wrong = "".join(["not", "hunter2"])  # in pieces, for a traceback shows this line
    with pytest.raises(MailError, match="535") as caught:
        send(mailer_for(port, tls=tls, context=trusted, username="watch", password=wrong))
    assert wrong not in "".join(traceback.format_exception(caught.value))
    assert not caught.value.permanent
    assert taken == []


def test_a_server_that_nobody_vouches_for_gets_nothing(secure: tuple[str, int, list[bytes]]) -> None:
    tls, port, taken = secure
    with pytest.raises(MailError, match="certificate"):
        send(mailer_for(port, tls=tls, username="watch", password="hunter2"))
    assert taken == []
