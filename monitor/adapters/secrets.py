"""Secrets from the environment or mounted files, and where one is kept that a platform has changed.

Nothing here logs a value or puts one into an error.
"""

import errno
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import mkstemp

from monitor.domain.account import Account
from monitor.domain.errors import ConfigError
from monitor.domain.ports import Secrets

#: The folder takes no new file, or the file cannot be replaced as it is a mount of its own: it is written in place.
_NOT_REPLACEABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.ENOENT, errno.EXDEV})


def secret(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """A secret by name: the file that NAME_FILE points to, else NAME itself. Raises ConfigError naming it."""
    if path := environment.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"the secret {name} cannot be read: {error.strerror} ({name}_FILE={path})") from error
        except UnicodeDecodeError:
            raise ConfigError(f"the secret {name} cannot be read: {name}_FILE={path} is not text") from None
    if value := environment.get(name):
        return value
    raise ConfigError(
        f"the secret {name} is not set; put it into the environment as {name}, or its file as {name}_FILE"
    )


class FileSecrets(Secrets):
    """The secrets of one account by their names under its `secrets:`, read anew each time they are asked for.

    What `keep` cannot write to the secret's own file stands in `folder` (0700), one file (0600) a secret, and wins
    over the environment for as long as that holds the value which was replaced: a new one set by a technician wins.
    """

    def __init__(self, account: Account, folder: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._account = account
        self._folder = folder
        self._environment = environment

    def __getitem__(self, option: str) -> str:
        """Raises ConfigError for a secret that is listed and not set, KeyError for one that is not listed."""
        name = self._account.secrets[option]
        given = secret(name, self._environment)
        kept = self._kept(name)
        return str(kept["value"]) if kept and _stands_for(kept, given) else given

    def __iter__(self) -> Iterator[str]:
        return iter(self._account.secrets)

    def __len__(self) -> int:
        return len(self._account.secrets)

    def keep(self, name: str, value: str) -> None:
        """Keep what `self[name]` is from now on: in the file that NAME_FILE points to, else in the folder.

        Raises ConfigError where neither can be written.
        """
        if name not in self._account.secrets:
            raise ConfigError(f"account {self._account.id} has no secret {name!r} under `secrets:` to renew")
        known = self._account.secrets[name]
        own = self._environment.get(f"{known}_FILE")
        try:
            if own and _written(Path(own).resolve(), value):
                return
            self._keep_in_folder(known, value)
        except OSError as error:
            raise ConfigError(
                f"the secret {known}, which the platform has renewed, cannot be kept: {error.strerror}; make "
                f"{own or self._folder} writable, then sign in anew"
            ) from error

    def _keep_in_folder(self, name: str, value: str) -> None:
        salt = os.urandom(16).hex()
        told = {"value": value, "salt": salt, "replaces": _hash(salt, secret(name, self._environment))}
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(self._folder / name, json.dumps(told))

    def _kept(self, name: str) -> dict[str, object] | None:
        """What `keep` left in the folder; a damaged file is as good as none."""
        try:
            told = json.loads((self._folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return told if isinstance(told, dict) and told.keys() >= {"value", "salt", "replaces"} else None


def _stands_for(kept: Mapping[str, object], given: str) -> bool:
    return hmac.compare_digest(str(kept["replaces"]), _hash(str(kept["salt"]), given))


def _hash(salt: str, value: str) -> str:
    return hashlib.sha256(f"{salt}:{value}".encode()).hexdigest()


def _written(path: Path, value: str) -> bool:
    """Whether the file took the value. Raises OSError where it can be written, but not now (a full disk)."""
    try:
        _replace(path, value)
    except OSError as error:
        if error.errno not in _NOT_REPLACEABLE:
            raise
    else:
        return True
    try:
        _overwrite(path, value)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        return False
    return True


def _replace(path: Path, text: str) -> None:
    """All of it or nothing, whenever the power goes. Readable by its owner alone."""
    handle, draft = mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _overwrite(path: Path, text: str) -> None:
    with path.open("r+", encoding="utf-8") as file:
        file.write(text)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
