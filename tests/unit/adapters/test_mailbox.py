"""The demo's mail server keeps every message it accepts, and shows a repeat as one."""

import smtplib
import socket
from email.message import EmailMessage
from pathlib import Path

import pytest

from monitor.adapters.mailbox import Mailbox


def deliver(mailbox: Mailbox, message_id: str, subject: str = "hello") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", subject
    message["Message-ID"] = message_id
    message.set_content("words")
    with smtplib.SMTP("127.0.0.1", mailbox.port, "test", timeout=5) as server:
        server.send_message(message)


def test_messages_are_listed_in_the_order_of_arrival(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as mailbox:
        for number in range(5):
            deliver(mailbox, f"<{number}@example.com>", f"number {number}")
        assert [mail.subject for mail in mailbox.messages()] == [f"number {number}" for number in range(5)]


def test_a_repeat_is_a_second_file_of_the_same_name(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as mailbox:
        deliver(mailbox, "<same@example.com>")
        deliver(mailbox, "<same@example.com>")
        deliver(mailbox, "<other@example.com>")
        names = [mail.name for mail in mailbox.messages()]
    first, second, other = names
    assert first.removesuffix("-1.eml") == second.removesuffix("-2.eml")
    assert other.endswith("-1.eml")


def test_mail_outlives_the_server(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as mailbox:
        deliver(mailbox, "<one@example.com>")
    assert [mail.message_id for mail in Mailbox(tmp_path).messages()] == ["<one@example.com>"]
    with Mailbox(tmp_path) as mailbox:
        deliver(mailbox, "<one@example.com>")
        assert len(mailbox.messages()) == 2


def test_a_message_id_names_no_path(tmp_path: Path) -> None:
    with Mailbox(tmp_path / "mail") as mailbox:
        deliver(mailbox, "<../../escape@example.com>")
    assert [path.name for path in tmp_path.iterdir()] == ["mail"]


def test_a_folder_that_is_not_there_yet_holds_no_mail(tmp_path: Path) -> None:
    assert Mailbox(tmp_path / "none").messages() == []


def test_it_listens_on_the_port_it_was_told_to_and_only_on_loopback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Mailbox(tmp_path, port=port) as mailbox:
        assert mailbox.port == port
        with pytest.raises(OSError, match="in use"):
            Mailbox(tmp_path, port=port).start()
    with Mailbox(tmp_path, port=port):
        pass
