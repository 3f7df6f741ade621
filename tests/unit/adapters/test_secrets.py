"""A secret comes from where the technician put it, until a platform changes it; then from where it was kept."""

import json
import stat
from pathlib import Path

import pytest

from monitor.adapters.secrets import FileSecrets, secret
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError
from monitor.domain.item import Channel

ACCOUNT = Account(
    id="x-official",
    connector="x",
    channel=Channel.OFFICIAL,
    name="Larkfield on X",
    secrets={"token": "X_TOKEN", "refresh": "X_REFRESH"},
)


def secrets_of(tmp_path: Path, **environment: str) -> FileSecrets:
    return FileSecrets(ACCOUNT, tmp_path / "secrets", environment)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# Where a secret is read


def test_a_secret_comes_from_its_file_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from the file\n")
    assert secret("TOKEN", {"TOKEN": "from the environment"}) == "from the environment"
    assert secret("TOKEN", {"TOKEN_FILE": str(tmp_path / "token"), "TOKEN": "x"}) == "from the file"


@pytest.mark.parametrize("environment", [{}, {"TOKEN_FILE": "/nowhere/token"}])
def test_a_secret_that_is_not_there_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="the secret TOKEN"):
        secret("TOKEN", environment)


def test_a_file_that_is_no_text_is_named_without_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"hunter2\xff")
    with pytest.raises(ConfigError, match=r"TOKEN_FILE=.*is not text") as caught:
        secret("TOKEN", {"TOKEN_FILE": str(tmp_path / "token")})
    assert "hunter2" not in str(caught.value)


def test_an_accounts_secrets_go_by_their_names_in_the_register(tmp_path: Path) -> None:
    secrets = secrets_of(tmp_path, X_TOKEN="a", X_REFRESH="b", OTHER="c")
    assert dict(secrets) == {"token": "a", "refresh": "b"}
    assert secrets.get("password") is None


def test_a_secret_that_is_listed_and_not_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the secret X_REFRESH is not set"):
        dict(secrets_of(tmp_path, X_TOKEN="a"))


# Where a renewed one is kept


def test_a_renewed_secret_is_written_to_its_own_file_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "mounted" / "refresh"
    file.parent.mkdir()
    file.write_text("a much longer old value\n")
    file.chmod(0o644)
    secrets = secrets_of(tmp_path, X_REFRESH_FILE=str(file))
    secrets.keep("refresh", "new")
    assert secrets["refresh"] == "new"
    assert (file.read_text(), mode(file)) == ("new", 0o600)
    assert list(file.parent.iterdir()) == [file]
    assert not (tmp_path / "secrets").exists()


def test_a_link_to_a_secret_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    secrets_of(tmp_path, X_REFRESH_FILE=str(tmp_path / "link")).keep("refresh", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_file_that_cannot_be_replaced_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a single file that is mounted into a container: renaming another over it is EBUSY."""
    file = tmp_path / "refresh"
    file.write_text("a much longer old value")
    inode = file.stat().st_ino

    def busy(self: Path, target: Path) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", busy)
    secrets = secrets_of(tmp_path, X_REFRESH_FILE=str(file))
    secrets.keep("refresh", "new")
    assert secrets["refresh"] == "new"
    assert file.stat().st_ino == inode
    assert list(tmp_path.iterdir()) == [file]


def test_a_full_disk_costs_no_secret_its_old_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "refresh"
    file.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ConfigError, match=r"X_REFRESH.*cannot be kept: No space left on device") as caught:
        secrets_of(tmp_path, X_REFRESH_FILE=str(file)).keep("refresh", "hunter2")
    assert file.read_text() == "old"
    assert "hunter2" not in str(caught.value)


def test_what_cannot_go_to_its_file_is_kept_among_the_data_and_read_from_there(tmp_path: Path) -> None:
    read_only = "/proc/version"  # nobody writes there, root neither
    secrets = secrets_of(tmp_path, X_REFRESH_FILE=read_only)
    secrets.keep("refresh", "new")
    assert secrets["refresh"] == "new"
    assert secrets_of(tmp_path, X_REFRESH_FILE=read_only)["refresh"] == "new"


def test_a_secret_of_the_environment_is_kept_in_a_folder_for_its_owner_alone(tmp_path: Path) -> None:
    secrets = secrets_of(tmp_path, X_REFRESH="old")
    secrets.keep("refresh", "new")
    secrets.keep("refresh", "newer")
    assert secrets_of(tmp_path, X_REFRESH="old")["refresh"] == "newer"
    assert mode(tmp_path / "secrets") == 0o700
    assert [mode(file) for file in (tmp_path / "secrets").iterdir()] == [0o600]


def test_a_secret_set_anew_by_a_technician_wins_over_the_one_kept(tmp_path: Path) -> None:
    secrets_of(tmp_path, X_REFRESH="old").keep("refresh", "renewed")
    assert secrets_of(tmp_path, X_REFRESH="set anew")["refresh"] == "set anew"
    assert secrets_of(tmp_path, X_REFRESH="old")["refresh"] == "renewed"


def test_the_replaced_secret_cannot_be_read_from_what_is_kept(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        FileSecrets(ACCOUNT, tmp_path / folder, {"X_REFRESH": "old"}).keep("refresh", "new")
    kept = [(tmp_path / folder / "X_REFRESH").read_text() for folder in ("one", "two")]
    assert "old" not in kept[0]
    assert len({json.loads(text)["replaces"] for text in kept}) == 2, "the hash is salted"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"value": "x"}'])
def test_a_damaged_file_among_the_data_is_as_good_as_none(tmp_path: Path, damage: str) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "X_REFRESH").write_text(damage)
    assert secrets_of(tmp_path, X_REFRESH="given")["refresh"] == "given"


def test_a_secret_that_the_register_does_not_list_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="x-official has no secret 'password'"):
        secrets_of(tmp_path).keep("password", "new")


def test_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("a file where the folder should be")
    with pytest.raises(ConfigError, match="X_REFRESH, which the platform has renewed, cannot be kept"):
        secrets_of(tmp_path, X_REFRESH="old").keep("refresh", "new")
