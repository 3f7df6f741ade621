"""`schoolwatch poll` says each thing once, and only what is wrong makes its exit status 1."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from monitor.adapters.mailbox import Mailbox
from monitor.bootstrap import open_store
from monitor.cli import app
from monitor.config import load_config
from monitor.store.tables import spending
from tests.conftest import ROOT

HANDED_IN = {"id": "handed-in", "connector": "archive", "channel": "mention", "name": "Handed in"}
NO_SECRET = {
    "id": "facebook-page",
    "connector": "facebook",
    "channel": "official",
    "name": "The school's page",
    "options": {"page": "1"},
    "secrets": {"token": "NOT_GIVEN"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A configuration whose accounts need no network; the word list reads, and mail goes to a box beside it."""
    config = Path(shutil.copytree(ROOT / "config", tmp_path / "config"))
    school = yaml.safe_load((config / "school.yaml").read_text(encoding="utf-8"))
    (tmp_path / "in").mkdir()
    with Mailbox(tmp_path / "mail") as mailbox:
        mail = {"host": "127.0.0.1", "port": mailbox.port, "tls": "none", "sender": "desk@larkfield.example"}
        school |= {"classifier": "lexicon", "classifier_options": {}, "mail": mail}
        (config / "school.yaml").write_text(yaml.safe_dump(school), encoding="utf-8")
        yield config


def poll(folder: Path, *accounts: dict[str, object]) -> Result:
    text = yaml.safe_dump({"accounts": [*accounts, HANDED_IN | {"options": {"path": str(folder.parent / "in")}}]})
    (folder / "accounts.yaml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["poll", "--config", str(folder), "--data", str(folder.parent / "data")])


def test_an_account_that_cannot_be_read_is_told_once_and_is_a_fault(folder: Path) -> None:
    ran = poll(folder, NO_SECRET)
    assert ran.output.count("the secret NOT_GIVEN is not set") == 1
    assert ran.exit_code == 1


def test_a_warning_is_told_once_and_is_no_fault(folder: Path) -> None:
    assert poll(folder).exit_code == 0
    now = datetime.now(UTC)
    row = {"credential": "handed-in", "period": f"{now:%Y-%m}", "unit": "US$", "amount": 16, "cap": 20}
    with open_store(load_config(folder), folder.parent / "data") as store, store.transaction() as tx:
        ends_at = now + timedelta(days=1)
        tx.health._connection.execute(insert(spending).values(school_id=store.school, **row, ends_at=ends_at))
    ran = poll(folder)
    assert ran.output.count("US$ 16.00 of US$ 20.00") == 1
    assert ran.exit_code == 0
