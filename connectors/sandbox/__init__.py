"""Platforms on loopback that speak the platforms' own wire formats, with post pages to photograph.

    world = World.load(present)
    with Sandbox(world, clock) as sandbox:
        account.options | sandbox.options("x")     # points a connector here
        sandbox.fail("x", Fault.RATE_LIMITED)      # the next answer is a 429

What is there to see depends on the world and on `clock()` alone.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType

from connectors.sandbox import bluesky, facebook, feed, instagram, mastodon, reddit, wordpress, x, youtube
from connectors.sandbox.server import Fault, Server
from connectors.sandbox.world import EXAMPLE, Edit, Entry, Person, World
from monitor.domain.account import Account

#: The only token the sandbox accepts.
TOKEN = "sandbox-token"  # noqa: S105 - it opens nothing

#: Secrets that are no token, by their names under an account's `secrets:`.
APP: Mapping[str, str] = {"client_id": reddit.CLIENT_ID}


def environment(accounts: Iterable[Account]) -> dict[str, str]:
    """What the environment must hold so that the sandbox accepts the secrets of `accounts`."""
    return {name: APP.get(option, TOKEN) for account in accounts for option, name in account.secrets.items()}


__all__ = ["APP", "EXAMPLE", "TOKEN", "Edit", "Entry", "Fault", "Person", "Sandbox", "World", "environment"]


class Sandbox:
    """All sandbox platforms on one port of 127.0.0.1 (`port` 0: any free one). Also a context manager."""

    def __init__(self, world: World, clock: Callable[[], datetime], *, port: int = 0, page_size: int = 6) -> None:
        platforms = {
            "bluesky": bluesky.platform(world, TOKEN),
            "facebook": facebook.platform(world, TOKEN),
            "feed": feed.platform(world),
            "instagram": instagram.platform(world, TOKEN),
            "mastodon": mastodon.platform(world, TOKEN),
            "reddit": reddit.platform(world, TOKEN),
            "wordpress": wordpress.platform(world, TOKEN),
            "x": x.platform(world, TOKEN),
            "youtube": youtube.platform(world, TOKEN),
        }
        self.world = world
        self._sites = {kind: platform.site for kind, platform in platforms.items()}
        self._server = Server(platforms, clock, port=port, page_size=page_size)

    def start(self) -> None:
        """Serve from threads of its own until stop()."""
        self._server.start()

    def stop(self) -> None:
        """Stop serving; unfinished answers are cut off."""
        self._server.stop()

    def __enter__(self) -> "Sandbox":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def base_url(self, kind: str) -> str:
        """Where the API of `kind` is. Raises KeyError for a kind that the sandbox does not play."""
        if kind not in self._sites:
            raise KeyError(kind)
        return f"{self._server.address}/api/{kind}"

    def page_url(self, kind: str) -> str:
        """Where the pages for people are. Raises KeyError."""
        return f"{self._server.address}/{self._sites[kind]}"

    def options(self, kind: str) -> dict[str, object]:
        """What to put into an account's options so that its connector comes here; {} for other kinds."""
        if kind not in self._sites:
            return {}
        if kind == "feed":
            return {"url": f"{self.base_url(kind)}/news.atom"}
        if kind == "wordpress":
            # Its ids hold the site's name, which must not change with the port.
            return {"base_url": self.base_url(kind), "site": "larkfield.example"}
        if kind == "reddit":
            api, page = self.base_url(kind), self.page_url(kind)
            return {"base_url": api, "reddit_url": api, "page_url": page}
        pages = {"page_url": self.page_url(kind)} if kind in ("bluesky", "x", "youtube") else {}
        if kind == "youtube":
            pages["token_url"] = f"{self.base_url(kind)}/token"
        return {"base_url": self.base_url(kind), **pages}

    def fail(self, kind: str, fault: Fault | str, times: int = 1, path: str = "") -> None:
        """Let the next `times` API answers of `kind`, on paths that contain `path`, go wrong."""
        self._server.fail(kind, Fault(fault), times, path)

    def recover(self, kind: str) -> None:
        """Let `kind` answer well again, whatever was planned."""
        self._server.recover(kind)

    def requests(self) -> list[tuple[str, str]]:
        """Every request so far: method and path with query."""
        return self._server.asked()
