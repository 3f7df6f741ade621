"""The lock files: what is installed is what pyproject.toml asks for, by hash, from wherever pip is told to look."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def locked(name: str) -> dict[str, set[str]]:
    """Versions by package: more than one where they differ by system."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE):
        versions.setdefault(package, set()).add(version)
    return versions


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash(name: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_registry_and_no_folder(name: str) -> None:
    assert not re.search(r"://|--index|--find-links|(^|\s)/|file:", (ROOT / name).read_text())


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("requirements.lock", PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["build"]),
        ("requirements-dev.lock", PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_what_the_project_asks_for_is_locked(name: str, asked: list[str]) -> None:
    versions = locked(name)
    for requirement in map(Requirement, asked):
        found = versions.get(canonical(requirement.name), set())
        assert found, f"{requirement} is missing: run scripts/lock"
        assert all(requirement.specifier.contains(version) for version in found), f"{requirement}: run scripts/lock"


def test_the_tests_run_with_the_versions_of_the_service() -> None:
    service, tests = (locked(name) for name in LOCKS)
    assert {name: service[name] for name in service.keys() & tests.keys()} == {
        name: tests[name] for name in service.keys() & tests.keys()
    }


def test_the_service_needs_no_torch() -> None:
    assert not [name for name in locked("requirements.lock") if re.match(r"torch|nvidia|triton|cuda", name)]


def test_every_dependency_has_its_reason_in_the_documentation() -> None:
    documented = (ROOT / "docs" / "dependencies.md").read_text()
    groups = [PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"].values()]
    groups += PROJECT["project"]["optional-dependencies"].values()
    for requirement in (Requirement(line) for group in groups for line in group):
        assert re.search(rf"^\| .*\b{re.escape(requirement.name)}\b.*\|", documented, re.MULTILINE), (
            requirement.name
        )
