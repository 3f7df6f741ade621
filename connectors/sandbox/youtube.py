"""The YouTube Data API v3, Google's token endpoint and watch pages, as far as a school's channel needs them.

Reference: developers.google.com/youtube/v3/docs (channels, playlistItems, videos, commentThreads, comments, search,
errors) and developers.google.com/identity/protocols/oauth2/web-server#offline. All replies hang below a first
comment. What is hidden is rejected, what is not approved yet held for review; an entry's category may be
`held-for-review` or `likely-spam`, too (only the owner sees any of it), and that of a video `comments-disabled` or
`private`. A post by somebody else is a video on a channel of theirs.
"""

import json
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from connectors.sandbox import pages
from connectors.sandbox.listings import json_listings
from connectors.sandbox.server import Answer, Fault, Platform, Request, json_answer
from connectors.sandbox.world import World
from connectors.sandbox.youtube_view import KIND, View, error

BRAND = pages.Brand(name="YouTube (sandbox)", colour="#c4302b")
#: What a sign-in is given for the sandbox's token as its refresh token.
ACCESS_TOKEN = "sandbox-access"  # noqa: S105 - it opens nothing
#: What a sign-in is allowed, and for how long (s) where whoever signed in gave leave for a time only.
SCOPE, LEAVE_ENDS_IN = "https://www.googleapis.com/auth/youtube.force-ssl", 0
_NONSENSE = {"id": {"not": "an id"}, "snippet": 7, "replies": {"comments": "none"}}


def platform(world: World, token: str) -> Platform:
    """YouTube, telling `world` to those who bring `token`: as an API key, or signed in as the channel's owner."""
    sandbox = _YouTube(world, token)
    return Platform(
        site=KIND,
        api=sandbox.api,
        page=sandbox.page,
        refuse=_refuse,
        listings=json_listings("items"),
        nonsense=_NONSENSE,
    )


class _YouTube:
    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token

    def api(self, request: Request) -> Answer:
        if (request.method, request.path) == ("POST", "/token"):
            return self._sign_in(request)
        owner = request.headers.get("authorization") == f"Bearer {ACCESS_TOKEN}"
        if not owner and "authorization" in request.headers:
            return error(401, "authError", "Invalid Credentials")
        if not owner and request.headers.get("x-goog-api-key") != self._token:
            return _refuse(Fault.UNAUTHORISED, request)
        view = View(self._world, request, owner)
        answers: Mapping[str, Callable[[], Answer]] = {
            "/youtube/v3/channels": view.channels,
            "/youtube/v3/playlistItems": view.uploads,
            "/youtube/v3/videos": view.videos_by_id,
            "/youtube/v3/commentThreads": view.threads,
            "/youtube/v3/comments": view.comments,
            "/youtube/v3/search": view.search,
        }
        if request.method != "GET" or request.path not in answers:
            return error(404, "notFound", "Not Found")
        return answers[request.path]()

    def page(self, request: Request) -> Answer:
        view = View(self._world, request, owner=False)
        video = view.videos.get(request.query.get("v", ""))
        if video is None or request.path != "/watch":
            return pages.gone(BRAND)
        public = [live for live in view.all if view.shows(live)]
        shown = [
            pages.Shown(live=live, depth=min(depth, 2), anchor=view.id(live))
            for live, depth in pages.thread(video, public)
        ]
        focus = next((one.live.key for one in shown if one.anchor == request.query.get("lc")), video.key)
        return pages.page(BRAND, video.text, shown, focus)

    def _sign_in(self, request: Request) -> Answer:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if not form.keys() >= {"grant_type", "client_id", "client_secret"}:
            return json_answer({"error": "invalid_client", "error_description": "Unauthorized"}, 401)
        if form.get("refresh_token") != self._token:
            told = "Token has been expired or revoked."
            return json_answer({"error": "invalid_grant", "error_description": told}, 400)
        granted = {"access_token": ACCESS_TOKEN, "expires_in": 3599, "scope": SCOPE, "token_type": "Bearer"}
        leave = {"refresh_token_expires_in": LEAVE_ENDS_IN} if LEAVE_ENDS_IN else {}
        return json_answer({**granted, **leave})


def _refuse(fault: Fault, request: Request) -> Answer:
    match fault:
        case Fault.EXPIRED if request.path == "/token":
            told = "Token has been expired or revoked."
            return json_answer({"error": "invalid_grant", "error_description": told}, 400)
        case Fault.EXPIRED if "authorization" in request.headers:
            return error(401, "authError", "Invalid Credentials")
        case Fault.UNAUTHORISED | Fault.EXPIRED:
            # The reason itself stands in the newer form of errors alone.
            told = "API key not valid. Please pass a valid API key."
            if fault is Fault.EXPIRED:
                told = "API key expired. Please renew the API key."
            document = json.loads(error(400, "badRequest", told).body)
            document["error"]["details"] = [{"reason": "API_KEY_INVALID", "domain": "googleapis.com"}]
            return json_answer(document, 400)
        case Fault.FORBIDDEN:
            return error(403, "forbidden", "Access forbidden.")
        case Fault.RATE_LIMITED:
            return error(403, "rateLimitExceeded", "Rate Limit Exceeded", {"Retry-After": "600"})
        case Fault.RATE_LIMITED_BARE:
            told = "The request cannot be completed because you have exceeded your quota."
            return error(403, "quotaExceeded", told)
    return error(503, "backendError", "Backend Error")
