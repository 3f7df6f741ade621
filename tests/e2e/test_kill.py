"""kill -9 at any moment, start again: the same items, cases and notices as if nothing had happened."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors import kinds
from connectors.sandbox import World
from monitor.adapters.mailbox import Mailbox
from monitor.domain.clock import parse_instant
from monitor.store.engine import open_engine
from monitor.store.tables import cases, evidence, items, lookalikes, messages, notices, problems
from tests.conftest import ROOT

PRESENT = "2026-11-20T12:00:00Z"
#: How far the world has got (days before its present) at each kill.
KILLS = (7.5, 6.2, 5.0, 3.6, 2.4, 1.1, 0.3)
#: With no program on the PATH there is no browser: the captures are not what is tested here.
ENVIRONMENT = {"PATH": "/nonexistent", "PYTHONPATH": str(ROOT)}

Facts = dict[str, list[tuple[object, ...]]]


def start(data: Path, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "monitor", "demo", "--once", "--present", PRESENT, "--data", str(data)],
        env={**ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> dict[str, object]:
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return dict(json.loads(out.splitlines()[-1]))


def wait_until(data: Path, moment: datetime, process: "subprocess.Popen[str]") -> None:
    """Until the simulated clock has passed `moment`."""
    while process.poll() is None:
        try:
            if parse_instant(json.loads((data / "demo.json").read_text())["clock"]) >= moment:
                return
        except FileNotFoundError:
            pass
        time.sleep(0.01)
    pytest.fail(f"the demo ended before {moment}")


def facts(url: str) -> Facts:
    """What must not depend on kills: no row ids, no Message-IDs, no ports."""
    queries = {
        "items": select(items.c.platform, items.c.native_id, items.c.revision, items.c.gone_at.is_not(None)),
        "cases": select(
            items.c.native_id, cases.c.severity, cases.c.status, cases.c.due_at, cases.c.answered_at, cases.c.level
        ).join(items, items.c.id == cases.c.item_id),
        "notices": select(items.c.native_id, notices.c.level, notices.c.recipient)
        .join(cases, cases.c.id == notices.c.case_id)
        .join(items, items.c.id == cases.c.item_id),
        "evidence": select(items.c.native_id, evidence.c.revision, evidence.c.captured_at.is_not(None)).join(
            items, items.c.id == evidence.c.item_id
        ),
        "faults": select(problems.c.subject, problems.c.headline).where(problems.c.grade != ""),
        "lookalikes": select(lookalikes.c.platform, lookalikes.c.handle),
        "unsent": select(messages.c.id).where(messages.c.sent_at.is_(None)),
    }
    engine = open_engine(url)
    with engine.connect() as connection:
        found = {name: sorted(map(tuple, connection.execute(query)), key=str) for name, query in queries.items()}
    engine.dispose()
    return found


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], Facts]:
    data = tmp_path_factory.mktemp("undisturbed")
    summary = finish(start(data, {}))
    return summary, facts(f"sqlite:///{data / 'schoolwatch.db'}")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def test_killed_at_several_points_the_demo_ends_the_same(
    database: str,
    undisturbed: tuple[dict[str, object], Facts],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    url = f"sqlite:///{tmp_path / 'schoolwatch.db'}"
    environment = {}
    if database == "postgresql":
        url = request.getfixturevalue("empty_postgresql")
        environment = {"SCHOOLWATCH_DATABASE": url}
    chance = random.Random(20261121)
    for days in KILLS:
        process = start(tmp_path, environment)
        wait_until(tmp_path, parse_instant(PRESENT) - timedelta(days=days), process)
        time.sleep(chance.uniform(0, 0.4))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    summary = finish(start(tmp_path, environment))

    expected_summary, expected = undisturbed
    found = facts(url)
    for name, rows in expected.items():
        assert found[name] == rows, name
    assert found["unsent"] == []
    for key in ("items", "by_connector", "cases", "answered", "overdue", "notices", "evidence"):
        assert summary[key] == expected_summary[key], key

    mails = Mailbox(tmp_path / "mailbox").messages()
    repeats = [mail for mail in mails if not mail.name.endswith("-1.eml")]
    assert len(repeats) <= len(KILLS), "at most the message that was on its way at each kill came twice"
    assert all("possible repeat" in mail.text for mail in repeats)


def test_the_demos_world_has_its_threat_its_answers_and_its_misses(
    undisturbed: tuple[dict[str, object], Facts],
) -> None:
    summary, found = undisturbed
    assert summary["items"] == len(found["items"])
    told = Counter(entry.platform for entry in World.load(parse_instant(PRESENT)).entries())
    assert set(told) == set(kinds())
    assert summary["by_connector"] == told
    assert int(str(summary["answered"])) >= 5
    assert int(str(summary["overdue"])) >= 1
    assert any(row[3] for row in found["items"]), "a deletion was seen"
    assert summary["problems"] == ["browser"]
    assert found["faults"] == [], "every account is read, whatever the simulated clock does"
    assert ("x", "larkfieldprim_hq") in found["lookalikes"]
