"""The demo's mail server: takes every message on loopback and keeps each as a file that anyone can open."""

import email
import hashlib
import os
import socket
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default as MODERN
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Refusal(StrEnum):
    """How a mailbox misbehaves when a test asks it to."""

    LATER = "451 4.3.0 Try again later"
    NEVER = "550 5.1.1 There is nobody of that name here"
    #: Keeps the message and hangs up before saying so: the sender cannot know.
    HANG_UP = "hang up"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMail:
    """One accepted message. `recipients` are those of the envelope; `name` is its file's name."""

    name: str
    message_id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    date: str
    text: str
    html: str


class Mailbox:
    """A folder of .eml files and, between `start()` and `stop()`, an SMTP server on 127.0.0.1 that fills it.

    A file is named after its Message-ID and how many came with it before, so that a repeat is a second file and
    not hidden. `refusal` may be set at any time.
    """

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.folder = folder
        self.refusal: Refusal | None = None
        self._wanted_port = port
        self._controller: _Controller | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._controller is not None, "the mailbox is not running"
        return int(self._controller.port)

    def start(self) -> None:
        """Take mail from now on. Raises OSError where the port is taken."""
        self._controller = _Controller(_Handler(self), self._wanted_port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> "Mailbox":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def messages(self) -> list[StoredMail]:
        """Every message kept, in the order of arrival."""
        if not self.folder.is_dir():
            return []
        paths = sorted(self.folder.glob("*.eml"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        return [_read(path) for path in paths]

    def keep(self, content: bytes, recipients: list[str]) -> None:
        """Store one message, on the disk before this returns: what was accepted must not be lost."""
        self.folder.mkdir(parents=True, exist_ok=True)
        message_id = str(email.message_from_bytes(content, policy=MODERN)["Message-ID"] or "")
        prefix = hashlib.sha256(message_id.encode()).hexdigest()[:16]
        envelope = "".join(f"Delivered-To: {recipient}\r\n" for recipient in recipients)
        handle, draft = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(handle, "wb") as out:
            out.write(envelope.encode() + content)
            out.flush()
            os.fsync(out.fileno())
        count = 1 + sum(1 for _ in self.folder.glob(f"{prefix}-*.eml"))
        Path(draft).replace(self.folder / f"{prefix}-{count}.eml")


class _Controller(Controller):  # type: ignore[misc]
    """A controller that holds its port from the start: aiosmtpd cannot be given port 0."""

    def __init__(self, handler: "_Handler", port: int) -> None:
        self._socket = socket.create_server(("127.0.0.1", port))
        super().__init__(handler, hostname="127.0.0.1", port=self._socket.getsockname()[1])

    def _create_server(self) -> Awaitable[Any]:
        return self.loop.create_server(self._factory_invoker, sock=self._socket)  # type: ignore[no-any-return]


class _Handler:
    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._mailbox.refusal in (Refusal.LATER, Refusal.NEVER):
            return self._mailbox.refusal.value
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self._mailbox.keep(envelope.content, envelope.rcpt_tos)
        if self._mailbox.refusal is Refusal.HANG_UP:
            server.transport.abort()
        return "250 Message accepted"


def _read(path: Path) -> StoredMail:
    message = email.message_from_bytes(path.read_bytes(), policy=MODERN)
    return StoredMail(
        name=path.name,
        message_id=str(message["Message-ID"] or ""),
        sender=str(message["From"] or ""),
        recipients=tuple(str(address) for address in message.get_all("Delivered-To", [])),
        subject=str(message["Subject"] or ""),
        date=str(message["Date"] or ""),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")
