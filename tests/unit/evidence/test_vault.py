"""The vault keeps what it was given, under the hash of its bytes, and says so when it no longer does."""

import hashlib
import stat
from pathlib import Path

import pytest

from monitor.domain.errors import NotFound, VaultError
from monitor.domain.evidence import CapturedFile
from monitor.evidence.vault import FolderVault


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "vault"


def a_file(body: bytes) -> CapturedFile:
    return CapturedFile(name="card.html", media_type="text/html", body=body)


def test_what_is_put_comes_back_under_its_sha256(root: Path) -> None:
    vault = FolderVault(root)
    sha256 = vault.put(a_file(b"evidence"))
    assert sha256 == hashlib.sha256(b"evidence").hexdigest()
    assert vault.get(sha256) == b"evidence"
    assert (root / sha256[:2] / sha256[2:4] / sha256).read_bytes() == b"evidence"


def test_an_empty_file_is_kept_like_any_other(root: Path) -> None:
    vault = FolderVault(root)
    assert vault.get(vault.put(a_file(b""))) == b""


def test_the_same_bytes_twice_are_written_once(root: Path) -> None:
    vault = FolderVault(root)
    sha256 = vault.put(a_file(b"evidence"))
    place = root / sha256[:2] / sha256[2:4] / sha256
    first = place.stat()
    assert vault.put(a_file(b"evidence")) == sha256
    assert (place.stat().st_ino, place.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    assert [path for path in root.rglob("*") if path.is_file()] == [place]


def test_nobody_but_the_service_may_read(root: Path) -> None:
    vault = FolderVault(root)
    sha256 = vault.put(a_file(b"evidence"))
    assert stat.S_IMODE((root / sha256[:2] / sha256[2:4] / sha256).stat().st_mode) == 0o600
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


@pytest.mark.parametrize("place", range(8))
def test_one_flipped_bit_is_found(root: Path, place: int) -> None:
    vault = FolderVault(root)
    sha256 = vault.put(a_file(b"evidence"))
    path = root / sha256[:2] / sha256[2:4] / sha256
    body = bytearray(path.read_bytes())
    body[place] ^= 1
    path.write_bytes(body)
    with pytest.raises(VaultError, match=sha256):
        vault.get(sha256)
    with pytest.raises(VaultError, match=sha256):
        vault.put(a_file(b"evidence"))
    assert path.read_bytes() == body, "a changed file is evidence too and is left as found"


def test_a_file_cut_short_is_found(root: Path) -> None:
    vault = FolderVault(root)
    sha256 = vault.put(a_file(b"evidence"))
    (root / sha256[:2] / sha256[2:4] / sha256).write_bytes(b"evid")
    with pytest.raises(VaultError):
        vault.get(sha256)


@pytest.mark.parametrize("name", ["0" * 64, "", "../../etc/passwd", "0" * 63, "A" * 64, "é" * 64])
def test_what_is_not_there_is_not_found(root: Path, name: str) -> None:
    with pytest.raises(NotFound):
        FolderVault(root).get(name)


def test_a_write_that_fails_leaves_nothing_under_the_name(root: Path) -> None:
    vault = FolderVault(root)
    file = a_file(b"evidence")
    place = root / file.sha256[:2] / file.sha256[2:4] / file.sha256
    place.parent.mkdir(parents=True)
    (place.parent / file.sha256).mkdir()  # a folder where the file belongs
    (place / "in the way").touch()
    with pytest.raises(OSError, match="directory"):
        vault.put(file)
    place.joinpath("in the way").unlink()
    place.rmdir()
    assert vault.get(vault.put(file)) == b"evidence"


def test_two_vaults_on_one_folder_see_the_same_files(root: Path) -> None:
    sha256 = FolderVault(root).put(a_file(b"evidence"))
    assert FolderVault(root).get(sha256) == b"evidence"
