"""E-mail by SMTP."""

import smtplib
import socket
import ssl
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Literal

from monitor.domain.errors import ConfigError, MailError

Tls = Literal["none", "starttls", "tls"]

_REPLY_LENGTH = 200


class SmtpMailer:
    """A Mailer (monitor.domain.ports) that opens one connection a message.

    `sender` is an address or "Name <address>". `tls`: "tls" from the first byte (port 465), "starttls" (587), or
    "none" for a relay on the school's own machine. `context` says whom to trust; the default is the system's list.
    Raises ConfigError for a password that would travel in clear.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        sender: str,
        username: str | None = None,
        password: str | None = None,
        tls: Tls = "starttls",
        timeout: float = 30.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        if username is not None and tls == "none":
            raise ConfigError(f"The mail server {host} has a password but no TLS: set tls to starttls or tls")
        self._host = host
        self._port = port
        self._sender = header_text(sender)
        self._username = username
        self._password = password or ""
        self._tls = tls
        self._timeout = timeout
        self._context = context or (None if tls == "none" else ssl.create_default_context())

    def send(self, *, message_id: str, recipient: str, subject: str, text: str, html: str) -> None:
        """Hand one message to the mail server; return only once it was accepted.

        Raises MailError: permanent where the server refuses this recipient for good (5xx, RFC 5321, 4.2.1) or the
        address is none; otherwise worth trying again. No error ever carries the password.
        """
        message = self._message(message_id, _address(recipient), subject, text, html)
        try:
            server = self._connect()
            try:
                server.send_message(message, to_addrs=[recipient])
            finally:
                _hang_up(server)
        except smtplib.SMTPRecipientsRefused as error:
            raise _recipient_refused(recipient, error) from error
        except smtplib.SMTPAuthenticationError as error:
            # The server's words are left out: some quote what they were given.
            raise MailError(
                f"The mail server {self._host} does not accept the user name and password ({error.smtp_code})"
            ) from None
        except smtplib.SMTPResponseException as error:
            raise MailError(
                f"The mail server {self._host} refused the message: {_reply(error.smtp_code, error.smtp_error)}"
            ) from error
        except OSError as error:  # SMTPException is one, and so are time-outs, TLS and name errors
            raise MailError(f"The mail server {self._host}:{self._port} cannot be used: {_why(error)}") from error

    def _message(self, message_id: str, recipient: Address, subject: str, text: str, html: str) -> EmailMessage:
        message = EmailMessage(policy=SMTP_POLICY)
        message["From"] = self._sender
        message["To"] = recipient
        message["Subject"] = header_text(subject)
        message["Message-ID"] = header_text(message_id)
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers, please
        message.set_content(_body(text), cte="quoted-printable")
        message.add_alternative(_body(html), subtype="html", cte="quoted-printable")
        return message

    def _connect(self) -> smtplib.SMTP:
        # Its own name is given, for smtplib would ask the DNS, which may take long where there is none.
        name = socket.gethostname()
        server: smtplib.SMTP
        if self._tls == "tls":
            server = smtplib.SMTP_SSL(self._host, self._port, name, timeout=self._timeout, context=self._context)
        else:
            server = smtplib.SMTP(self._host, self._port, name, timeout=self._timeout)
        try:
            if self._tls == "starttls":
                server.starttls(context=self._context)
            if self._username is not None:
                server.login(self._username, self._password)
        except OSError:
            server.close()
            raise
        return server


def header_text(value: str) -> str:
    """`value` on one line without control, bidi and other unseen characters, which a header must not carry."""
    line = " ".join(value.split())
    return "".join(sign for sign in line if unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Zl", "Zp"})


def _address(recipient: str) -> Address:
    """`recipient`, which must be one bare address (RFC 5322, addr-spec), for a list would send to several."""
    try:
        return Address(addr_spec=recipient)
    except (ValueError, IndexError, MessageError) as error:  # IndexError: what the parser makes of ""
        raise MailError(f"{recipient!r} is no e-mail address", permanent=True) from error


def _body(text: str) -> str:
    """`text` without the half characters (lone surrogates) that no encoding can carry."""
    return text.encode("utf-8", "replace").decode()


def _hang_up(server: smtplib.SMTP) -> None:
    """End the session. The message has been accepted or refused by now; a clumsy good-bye changes nothing."""
    with suppress(OSError):
        server.quit()
    server.close()


def _recipient_refused(recipient: str, error: smtplib.SMTPRecipientsRefused) -> MailError:
    replies = list(error.recipients.values())
    words = "; ".join(_reply(code, text) for code, text in replies)
    permanent = all(code >= 500 for code, _ in replies)
    return MailError(f"The mail server refused {recipient}: {words}", permanent=permanent)


def _reply(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {header_text(words)[:_REPLY_LENGTH]}"


def _why(error: OSError) -> str:
    return header_text(str(error))[:_REPLY_LENGTH] or type(error).__name__
