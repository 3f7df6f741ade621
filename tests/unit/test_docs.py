"""The documentation is tested: a command, a setting or a label that is not explained is not finished."""

import re
from pathlib import Path

import pytest
import yaml

from monitor.cli import app
from monitor.config import School
from monitor.domain.policy import PolicyFile, When
from monitor.domain.verdict import Label
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [path for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")] if path.is_file()]


def test_every_command_stands_in_the_readme() -> None:
    commands = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    explained = set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE))
    assert explained == commands


def test_every_setting_of_the_school_stands_in_the_example_but_the_one_for_tests() -> None:
    example = yaml.safe_load((ROOT / "config" / "school.yaml").read_text(encoding="utf-8"))
    assert set(example) == set(School.model_fields) - {"browser_may_open"}


def test_every_condition_and_part_of_the_rule_book_stands_in_the_example() -> None:
    text = (ROOT / "config" / "policy.yaml").read_text(encoding="utf-8")
    assert [name for name in [*When.model_fields, *PolicyFile.model_fields] if name not in text] == []


def test_every_label_is_explained() -> None:
    text = (ROOT / "docs" / "labels.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [label.value for label in Label]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
