"""The commands' fixed contracts, from outside."""

import json
import re
from pathlib import Path

from monitor.config import Config, load_config
from tests.conftest import ROOT
from tests.e2e.conftest import Run


def objects(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_classify_writes_one_object_a_line_and_reports_a_bad_one(schoolwatch: Run, tmp_path: Path) -> None:
    roster = tmp_path / "roster.yaml"
    roster.write_text("- {id: ann-lee, name: Ann Lee, title: Mrs, role: headteacher, aliases: [the head]}\n")
    comments = tmp_path / "comments.jsonl"
    comments.write_text(
        '{"id": "1", "text": "Mrs Lee is a disgrace"}\nnot json\n{"id": "3", "text": "", "platform": "x"}\n'
    )
    ended = schoolwatch("classify", comments, "--roster", roster)
    first, third = objects(ended.stdout)
    assert (first["id"], third["id"]) == ("1", "3")
    assert set(first) == {"id", "labels", "scores", "names", "doubt", "names_doubt", "language"}
    assert first["names"] == ["ann-lee"]
    assert ended.returncode == 1
    assert "line 2" in ended.stderr


def test_deadline_of_a_file_and_of_one_instant_agree(schoolwatch: Run, tmp_path: Path) -> None:
    instants = tmp_path / "instants.jsonl"
    instants.write_text('{"received": "2026-03-28T10:00:00Z"}\n{"received": "2026-11-18T12:00:00+01:00"}\n')
    ended = schoolwatch("deadline", "--file", instants)
    saturday, wednesday = objects(ended.stdout)
    assert saturday["due"] == "2026-03-30T16:00:00Z"
    assert (wednesday["received"], wednesday["due"]) == ("2026-11-18T11:00:00Z", "2026-11-19T11:00:00Z")
    assert objects(schoolwatch("deadline", "2026-03-28T10:00:00Z").stdout) == [saturday]


def test_deadline_in_scotland_with_another_closing_time(schoolwatch: Run) -> None:
    ended = schoolwatch("deadline", "2026-01-02T10:00:00Z", "--nation", "scotland", "--closes", "15:30")
    assert objects(ended.stdout)[0]["due"] == "2026-01-05T15:30:00Z"


def test_deadline_names_the_line_it_cannot_read(schoolwatch: Run, tmp_path: Path) -> None:
    instants = tmp_path / "instants.jsonl"
    instants.write_text('{"received": "yesterday"}\n{"received": "2026-11-18T12:00:00"}\n{}\n')
    ended = schoolwatch("deadline", "--file", instants)
    assert ended.returncode == 1
    assert [line[:7] for line in ended.stderr.splitlines()] == ["line 1:", "line 2:", "line 3:"]


SECRETS = {name: "unused" for account in load_config(ROOT / "config").accounts for name in account.secrets.values()}


def cells(table: str) -> dict[str, str]:
    """The rows of check's table by account, each cell on one line."""
    rows: dict[str, str] = {}
    for block in re.split(r"^\+[-=+]+\+$", table, flags=re.MULTILINE)[2:-1]:
        columns = zip(*(line.strip("|").split("|") for line in block.strip().splitlines()), strict=True)
        name, *rest = (" ".join(" ".join(column).split()) for column in columns)
        rows[name.partition(" ")[0]] = " | ".join([name, *rest])
    return rows


def test_check_names_the_secret_that_an_account_lacks(schoolwatch: Run) -> None:
    ended = schoolwatch("check", "--offline", environment={"X_BEARER_TOKEN": "unused"})
    assert ended.returncode == 1
    assert "facebook-page: CANNOT BE READ: the secret FACEBOOK_PAGE_TOKEN is not set" in ended.stdout
    assert "unused" not in ended.stdout + ended.stderr


def test_check_passes_with_every_secret(schoolwatch: Run) -> None:
    ended = schoolwatch("check", "--offline", environment={**SECRETS, "SMTP_PASSWORD": "unused"})
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_check_prints_a_table_of_what_each_account_can_do_though_no_secret_is_set(
    schoolwatch: Run, example: Config, tmp_path: Path
) -> None:
    ended = schoolwatch("check", "--offline")
    rows = cells(ended.stdout)
    assert rows.keys() == {account.id for account in example.accounts}
    assert rows["facebook-page"].startswith("facebook-page facebook, official | reads: own posts, visitor posts")
    assert "the secret FACEBOOK_PAGE_TOKEN is not set" in rows["facebook-page"]
    assert rows["facebook-page"].endswith("!!")
    assert rows["hand-ins"].endswith("ok")
    assert ended.returncode == 1
    assert not list(tmp_path.iterdir()), "a check leaves nothing behind"


def test_checks_table_keeps_to_the_terminals_width(schoolwatch: Run) -> None:
    ended = schoolwatch("check", "--offline", environment={"COLUMNS": "90"})
    table = [line for line in ended.stdout.splitlines() if line.startswith(("+", "|"))]
    assert {len(line) for line in table} == {90}


def test_check_says_what_a_firewall_must_allow_and_nothing_else(schoolwatch: Run) -> None:
    ended = schoolwatch("check", "--hosts")
    lines = ended.stdout.splitlines()
    assert all(re.fullmatch(r"[a-z0-9.-]+:(443|587) +\S.*", line) for line in lines)
    assert any(re.match(r"x\.com:443 +.*photograph evidence of x-official", line) for line in lines)
    assert any(re.match(r"mail\.larkfield\.example:587 +send e-mail", line) for line in lines)
    assert ended.returncode == 0


def test_a_configuration_that_cannot_be_used_is_one_clear_line(schoolwatch: Run, tmp_path: Path) -> None:
    ended = schoolwatch("run", "--config", tmp_path / "nowhere")
    assert ended.returncode == 1
    assert ended.stderr == (
        f"schoolwatch: {tmp_path / 'nowhere'} is not a folder; "
        "give one with school.yaml, accounts.yaml and the others\n"
    )


def test_import_takes_the_labelled_comments_whole_as_history(
    schoolwatch: Run, shared: Path, tmp_path: Path
) -> None:
    file = shared / "comments" / "comments.jsonl"
    first = schoolwatch("import", file, "--data", tmp_path / "data")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == {"new": 500, "known": 0, "rejected": 0}
    again = schoolwatch("import", file, "--data", tmp_path / "data")
    assert json.loads(again.stdout) == {"new": 0, "known": 500, "rejected": 0}
    digest = schoolwatch("digest", "--data", tmp_path / "data")
    assert "500 read by machine" in digest.stdout
    assert "Nothing is waiting for an answer." in digest.stdout


def test_a_second_service_on_the_same_data_is_refused(schoolwatch: Run, tmp_path: Path) -> None:
    import fcntl

    (tmp_path / "data").mkdir()
    with (tmp_path / "data" / "running.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = schoolwatch("demo", "--once", "--data", tmp_path / "data")
    assert ended.returncode == 1
    assert "already running" in ended.stderr
