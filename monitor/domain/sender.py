"""Who messages come from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What a message says of the school that sends it. `domain` ends its Message-ID."""

    school: str
    desk: str
    domain: str
