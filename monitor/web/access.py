"""Who may open the desk, until people sign in by name.

On loopback the desk is open to whoever sits at the machine; anywhere else it takes the desk's code. What the rule
book restricts to some roles takes the leaders' code, everywhere. Both codes are printed at start.
"""

import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

#: Neither digits nor letters that are taken for one another.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
#: Seconds without use after which a session ends: a leader's soon, for shared office computers.
DESK_IDLE, LEADERS_IDLE = 12 * 3600.0, 30 * 60.0
#: Wrong codes within WINDOW seconds before an address, and before everybody, must wait.
WINDOW, TRIES_EACH, TRIES_ALL = 600.0, 8, 200
_MOST_SESSIONS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """One browser: whether the desk is open to it, what is restricted too, and the token its forms must carry."""

    id: str
    desk: bool
    leaders: bool
    csrf: str


class TooManyTries(Exception):
    """Too many wrong codes; `seconds` says how long to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many wrong codes")
        self.seconds = int(seconds) + 1


@dataclass(slots=True)
class _Session:
    leaders: bool
    used: float


class Access:
    """The codes, and the sessions opened with them, which live in memory and end with the process.

    `desk_code` is None where the desk is open. `tick` counts seconds and is no clock: it never jumps.
    """

    def __init__(
        self, *, desk_code: str | None, leaders_code: str, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self.desk_code = desk_code
        self.leaders_code = leaders_code
        self._tick = tick
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    @classmethod
    def at(cls, host: str, public_url: str) -> "Access":
        """With fresh codes, for a desk bound to `host` that people reach as `public_url`."""
        local = is_loopback(host) and is_loopback(urlsplit(public_url).hostname or "")
        return cls(desk_code=None if local else new_code(), leaders_code=new_code())

    @property
    def open(self) -> bool:
        return self.desk_code is None

    def visitor(self, visitor_id: str, session_id: str | None, *, by_hand: bool = True) -> Visitor:
        """Who this browser is. A page that refreshes itself is not `by_hand`: it does not keep a session alive."""
        csrf = hmac.new(self._key, visitor_id.encode(), hashlib.sha256).hexdigest()
        with self._lock:
            session = self._live(session_id, by_hand) if session_id else None
            return Visitor(
                id=visitor_id,
                desk=self.open or session is not None,
                leaders=session is not None and session.leaders,
                csrf=csrf,
            )

    def _live(self, session_id: str, by_hand: bool) -> _Session | None:
        now = self._tick()
        session = self._sessions.get(_digest(session_id))
        if session is None or now - session.used > DESK_IDLE:
            self._sessions.pop(_digest(session_id), None)
            return None
        session.leaders = session.leaders and now - session.used <= LEADERS_IDLE
        if by_hand:
            session.used = now
        return session

    def csrf_holds(self, visitor: Visitor, token: str) -> bool:
        return hmac.compare_digest(visitor.csrf.encode(), token.encode("utf-8", "replace"))

    def unlock(self, code: str, address: str) -> str | None:
        """A new session's id for a right code; None for a wrong one. Raises TooManyTries."""
        with self._lock:
            self._check_tries(address)
            leaders = _same(code, self.leaders_code)
            desk = self.desk_code is not None and _same(code, self.desk_code)
            if not (leaders or desk):
                self._wrong.setdefault(address, []).append(self._tick())
                return None
            session_id = secrets.token_urlsafe(32)
            now = self._tick()
            self._sessions[_digest(session_id)] = _Session(leaders=leaders, used=now)
            while len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
            return session_id

    def _check_tries(self, address: str) -> None:
        now = self._tick()
        for one, times in list(self._wrong.items()):
            times[:] = [at for at in times if now - at < WINDOW]
            if not times:
                del self._wrong[one]
        mine = self._wrong.get(address, [])
        every = sorted(at for times in self._wrong.values() for at in times)
        for times, most in ((mine, TRIES_EACH), (every, TRIES_ALL)):
            if len(times) >= most:
                raise TooManyTries(WINDOW - (now - times[-most]))

    def lock(self, session_id: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_digest(session_id), None)


def new_code() -> str:
    """A code that can be read aloud: 12 signs, 59 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_name(header: str) -> str:
    """The host in a Host header, without its port; "" where there is none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that a form was sent from a page of this desk. One of its two words must be there."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is not None:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    return site is not None


def _same(given: str, code: str) -> bool:
    return hmac.compare_digest(_folded(given), _folded(code))


def _folded(code: str) -> bytes:
    """Case, blanks and hyphens do not matter; equal lengths, so that the comparison tells nothing."""
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    return hashlib.sha256(plain.encode("utf-8", "replace")).digest()


def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode("utf-8", "replace")).hexdigest()
