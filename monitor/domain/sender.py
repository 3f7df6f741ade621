"""Who messages come from."""

from dataclasses import dataclass
from uuid import uuid4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What a message says of the school that sends it. `domain` ends its Message-ID."""

    school: str
    desk: str
    domain: str

    def new_message_id(self) -> str:
        """A Message-ID that no other message has (RFC 5322, 3.6.4)."""
        return f"<{uuid4()}@{self.domain}>"
