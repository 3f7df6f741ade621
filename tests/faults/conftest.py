"""The example school against a sandbox and a mailbox on loopback, to break things in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from connectors.sandbox import Sandbox, World, environment
from monitor.adapters.mailbox import Mailbox
from monitor.config import Config, Mail, load_config
from monitor.demo import DemoClock
from monitor.domain.account import Account
from monitor.jobs import Parts
from monitor.web.access import Access
from monitor.web.app import create_app
from monitor.web.desk import Desk
from monitor.web.server import DeskServer
from tests.conftest import ROOT

PRESENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECRETS = environment(load_config(ROOT / "config").accounts)


class Rig:
    """A sandbox, a mailbox and the example school pointed at both."""

    def __init__(self, sandbox: Sandbox, mailbox: Mailbox, config: Config, clock: DemoClock, data: Path) -> None:
        self.sandbox, self.mailbox, self.config, self.clock, self.data = sandbox, mailbox, config, clock, data

    def account(self, connector: str, /, **changes: object) -> Account:
        """The example school's account on a platform."""
        account = next(one for one in self.config.accounts if one.connector == connector)
        return replace(account, **changes)  # type: ignore[arg-type]


@pytest.fixture
def rig(example: Config, tmp_path: Path) -> Iterator[Rig]:
    clock = DemoClock(PRESENT)
    with Mailbox(tmp_path / "mailbox") as mailbox, Sandbox(World.load(PRESENT), clock.now) as sandbox:
        accounts = tuple(
            replace(account, options={**account.options, **sandbox.options(account.connector)})
            for account in example.accounts
        )
        school = example.school.model_copy(
            update={
                "go_live": PRESENT - timedelta(days=30),
                "classifier": "lexicon",
                "mail": Mail(host="127.0.0.1", port=mailbox.port, sender="desk@larkfield.example", tls="none"),
            }
        )
        yield Rig(sandbox, mailbox, replace(example, accounts=accounts, school=school), clock, tmp_path / "data")


def page_of(parts: Parts, path: str) -> str:
    """A page of the desk as a browser on this machine gets it."""
    access = Access.at("127.0.0.1", "http://127.0.0.1")
    desk = Desk(store=parts.store, vault=parts.vault, config=parts.config, clock=parts.clock, access=access)
    server = DeskServer(create_app(desk), "127.0.0.1", 0)
    server.start()
    try:
        return httpx.get(f"{server.url}{path}", trust_env=False).raise_for_status().text
    finally:
        server.stop()
