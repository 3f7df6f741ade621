"""The shape of school.yaml."""

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any, Literal

from pydantic import Field, model_validator

from monitor.config.mentions import Mentions
from monitor.config.network import Network
from monitor.config.reading import Closed, Duration, Instant, SecretName, TimeOfDay, Zone

Nation = Literal["england", "wales", "scotland", "northern_ireland"]
#: Slower than this, the school's day to answer would suffer.
SLOWEST_POLL = timedelta(hours=4)
#: England and Wales share their bank holidays.
BANK_HOLIDAYS_OF: Mapping[Nation, str] = {
    "england": "england_and_wales",
    "wales": "england_and_wales",
    "scotland": "scotland",
    "northern_ireland": "northern_ireland",
}


class Mail(Closed):
    """The school's mail relay. `password` names a secret."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    sender: str
    username: str | None = None
    password: SecretName | None = None
    tls: Literal["none", "starttls", "tls"] = "starttls"


class School(Closed):
    """The shape of school.yaml."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    name: str
    nation: Nation = "england"
    timezone: Zone = "Europe/London"
    closes: TimeOfDay = time(17)
    #: What is older is history: no clock, no notice.
    go_live: Instant
    #: Where people reach the desk; every mail links to it.
    public_url: str = "http://127.0.0.1:8080"
    #: How often an account is read, and how often while nothing happens on it.
    poll_every: Duration = timedelta(minutes=5)
    poll_quiet: Duration = timedelta(minutes=30)
    digest_at: TimeOfDay = time(7, 30)
    classifier: str = "local"
    #: What the classifier's own `load` takes.
    classifier_options: dict[str, Any] = Field(default_factory=dict)
    mentions: Mentions = Mentions()
    network: Network = Network()
    mail: Mail
    #: Chromium's own sandbox around every page. Off only where it cannot start, and then shown as a warning.
    browser_sandbox: bool = True
    #: Private addresses ("host:port") that the evidence browser may open all the same. Leave empty.
    browser_may_open: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _polls_in_time(self) -> "School":
        if not timedelta(0) < self.poll_every <= self.poll_quiet <= SLOWEST_POLL:
            raise ValueError(
                "poll_every must not be longer than poll_quiet, and poll_quiet not than 4 hours (PT4H)"
            )
        return self
