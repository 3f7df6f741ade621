"""What the desk is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monitor.config import Config
from monitor.domain.ports import Clock, Vault
from monitor.store.store import Store
from monitor.web.access import Access


def _none() -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The parts that the pages read from. `notices` gives sentences to show on top of every page."""

    store: Store
    vault: Vault
    config: Config
    clock: Clock
    access: Access
    notices: Callable[[], Sequence[str]] = _none
