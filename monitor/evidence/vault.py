"""The vault: evidence kept for good, each file under the SHA-256 of its bytes, written once."""

import hashlib
import os
import re
import tempfile
from pathlib import Path

from monitor.domain.errors import NotFound, VaultError
from monitor.domain.evidence import CapturedFile

_SHA256 = re.compile(r"[0-9a-f]{64}")


class FolderVault:
    """A folder of files, `ab/cd/abcd…`: two levels, so that no folder grows beyond what a listing can bear.

    Files are 0600 and folders 0700: nobody but the service's own user reads them. A file appears under its name
    only when it is whole and on the disk; `incoming/` holds what was being written when the power went.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"

    def put(self, file: CapturedFile) -> str:
        """Keep `file.body` for good and return its SHA-256. Writing the same bytes twice is harmless.

        Raises VaultError where these bytes were kept before and have since been changed: they are left as found.
        """
        sha256 = file.sha256
        place = self._place(sha256)
        if place.exists():
            self.get(sha256)
            return sha256
        self._make_folder(place.parent)
        self._make_folder(self._incoming)
        draft = self._write_draft(file.body)
        try:
            draft.replace(place)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        _sync_folder(place.parent)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes kept under `sha256`, checked against it. Raises NotFound, and VaultError if they changed."""
        if not _SHA256.fullmatch(sha256):
            raise NotFound(f"{sha256[:80]!r} is not a SHA-256, so nothing can be kept under it")
        try:
            body = self._place(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"the vault holds no file {sha256}") from None
        if hashlib.sha256(body).hexdigest() != sha256:
            raise VaultError(f"the vault's file {sha256} was changed after it was kept; restore it from a backup")
        return body

    def _place(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def _write_draft(self, body: bytes) -> Path:
        handle, name = tempfile.mkstemp(dir=self._incoming)  # 0600 from the start
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(body)
                out.flush()
                os.fsync(out.fileno())
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        return draft

    def _make_folder(self, folder: Path) -> None:
        """Make `folder` and those above it up to the root, each known to the disk before anything goes in."""
        if folder.is_dir():
            return
        if folder != self._root:
            self._make_folder(folder.parent)
        folder.mkdir(mode=0o700, parents=folder == self._root, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Put a folder's list of names on the disk: without it, a renamed file may be gone after a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
