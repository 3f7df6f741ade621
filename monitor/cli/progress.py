"""How far the first reading of an account has come, on a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime

from tqdm import tqdm

from monitor.domain.account import Access, Capabilities, Profile
from monitor.domain.item import ItemRef, Page
from monitor.domain.ports import Connector


@contextmanager
def shown(connectors: Mapping[str, Connector]) -> Iterator[Mapping[str, Connector]]:
    """The same connectors, each of which shows a bar on stderr, if that is a terminal, while it reads first."""
    with ExitStack() as stack:
        yield {account: _Shown(account, connector, stack) for account, connector in connectors.items()}


class _Shown(Connector):
    """A connector that counts what its first reading brings."""

    def __init__(self, account: str, connector: Connector, stack: ExitStack) -> None:
        self._account = account
        self._connector = connector
        self._stack = stack

    def capabilities(self) -> Capabilities:
        return self._connector.capabilities()

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        pages = self._connector.poll(cursor, now)
        return pages if cursor else self._counted(pages)

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        return self._connector.thread(ref, known, now)

    def access(self, now: datetime) -> Access:
        return self._connector.access(now)

    def profiles(self, names: Sequence[str], now: datetime) -> Iterator[Profile]:
        return self._connector.profiles(names, now)

    def _counted(self, pages: Iterator[Page]) -> Iterator[Page]:
        # A reading that is broken off in the middle leaves its bar to the end of the command.
        bar = self._stack.enter_context(
            tqdm(desc=f"{self._account}: first reading", unit=" comments", disable=None)
        )
        oldest: datetime | None = None
        for page in pages:
            bar.update(len(page.items))
            dates = [item.published_at for item in page.items if item.published_at]
            oldest = min([*dates, oldest] if oldest else dates, default=None)
            if oldest:
                bar.set_postfix_str(f"back to {oldest:%d %B %Y}")
            yield page
        bar.close()
