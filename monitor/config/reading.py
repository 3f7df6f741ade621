"""A configuration file read strictly: what cannot be used is a ConfigError that names the file and the value."""

import hashlib
import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from monitor.domain.clock import utc
from monitor.domain.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)

#: What an environment variable is called; tokens and passwords hardly ever look so.
_SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
#: Mistakes whose value is not repeated: it is not there, stands in the message, or may be a secret.
_UNSHOWN = frozenset({"missing", "extra_forbidden", "confidential"})


class Closed(BaseModel):
    """What stands in a file: a key that nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _text_only(value: object) -> object:
    """YAML reads a bare 24:00 as 1440 and a bare date as a date: durations and times must be quoted."""
    if not isinstance(value, str):
        raise ValueError(f"must be text in quotes, not {value!r}")  # noqa: TRY004 - pydantic wants ValueError
    return value


def confidential(message: str) -> PydanticCustomError:
    """To be raised by a validator where the value may hold a secret: it is not repeated."""
    return PydanticCustomError("confidential", message)


def _secret_name(value: str) -> str:
    if not _SECRET_NAME.fullmatch(value):
        raise confidential(
            "must be the name of a secret, such as X_BEARER_TOKEN (capitals, digits and _), never the secret "
            "itself, which goes into the environment under that name, or into a file that X_BEARER_TOKEN_FILE "
            "names. If a secret stood here, have it replaced"
        )
    return value


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone") from error
    return name


Duration = Annotated[timedelta, BeforeValidator(_text_only)]
TimeOfDay = Annotated[time, BeforeValidator(_text_only)]
Instant = Annotated[datetime, BeforeValidator(_text_only), AfterValidator(utc)]
Day = Annotated[date, BeforeValidator(_text_only)]
Zone = Annotated[str, AfterValidator(_zone)]
SecretName = Annotated[str, AfterValidator(_secret_name)]


def parse(model: type[Model], data: object, path: Path, where: str = "") -> Model:
    """`data` as a `model`. Raises ConfigError naming the file, `where` in it, and the value."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        value = "" if first["type"] in _UNSHOWN else f" (it is {_shown(first['input'])})"
        raise ConfigError(f"{path.name}: {f'{where}, ' if where else ''}{place}: {first['msg']}{value}") from error


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def read_mapping(path: Path) -> dict[str, Any]:
    """A file of keys and values. Raises ConfigError."""
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise ConfigError(f"{path.name}: expected keys and values, found {type(data).__name__}")
    return data


def read_yaml(path: Path) -> Any:
    """What stands in a YAML file. Raises ConfigError."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name} is not readable YAML: {' '.join(str(error).split())}") from error


def digest_of(path: Path) -> str:
    """The version of a file, by what is in it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


class _StrictLoader(yaml.SafeLoader):
    """A key that stands twice is a mistake, not a choice of the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)
