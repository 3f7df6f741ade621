"""What a WordPress site shows of the world to one request: posts, comments, feeds."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from connectors.sandbox.server import Answer, Request, json_answer, not_found
from connectors.sandbox.world import Live, World, number
from monitor.domain.clock import format_instant, parse_instant

KIND = "wordpress"
MOST_PER_PAGE = 100
#: How many entries a feed holds: the newest.
FEED_LENGTH = 10
#: Where the site says that it is, in the names of feed entries: the same on every port.
HOME = "https://larkfield.example"
_EDIT_ONLY = frozenset({"author_email", "author_ip", "author_user_agent"})


class View:
    """The site as one request sees it. A deleted comment's replies move up; a deleted post takes all along."""

    def __init__(self, world: World, request: Request, *, moderates: bool) -> None:
        self._world = world
        self._request = request
        self._moderates = moderates
        # A website takes no private messages.
        everything = {live.key: live for live in world.live(KIND, request.now) if not live.entry.message}
        self.all = [live for live in everything.values() if self._top(live) in everything]
        self._keys = {live.key for live in self.all}
        self.by_number = {str(number(live.key)): live for live in self.all}

    def me(self) -> Answer:
        """Whose password it is. The world's password is an Editor's."""
        if not self._moderates:
            return error(401, "rest_not_logged_in", "You are not currently logged in.")
        may = {"read": True, "edit_posts": True, "moderate_comments": True, "editor": True}
        return json_answer(self._chosen({"id": 7, "name": "desk", "roles": ["editor"], "capabilities": may}))

    def posts(self, *, any_at_all: bool) -> Answer:
        found = [live for live in self.all if any_at_all and not live.entry.under]
        return self._listing(found, self._post, past_the_end=True)

    def post(self, key: str) -> Answer:
        live = self.by_number.get(key)
        if live is None or live.entry.under:
            return error(404, "rest_post_invalid_id", "Invalid post ID.")
        return json_answer(self._chosen(self._post(live)))

    def comments(self) -> Answer:
        query = self._request.query
        if not self._moderates:
            if query.get("context") == "edit":
                return error(401, "rest_forbidden_context", "Sorry, you are not allowed to edit comments.")
            for name, allowed in (("status", "approve"), ("type", "comment")):
                if query.get(name, allowed) != allowed:
                    return error(401, "rest_forbidden_param", f"Query parameter not permitted: {name}")
        found = [live for live in self.all if live.entry.under and query.get("type", "comment") == "comment"]
        if query.get("status", "approve") == "approve":
            found = [live for live in found if self._status(live) == "approved"]
        if "post" in query:
            found = [live for live in found if str(number(self._top(live))) == query["post"]]
        post = self.by_number.get(query.get("post", ""))
        errs = post.entry.miscount if post and query.get("type", "comment") == "comment" else 0
        return self._listing(found, self._comment, past_the_end=False, errs=errs)

    def comment(self, key: str) -> Answer:
        live = self.by_number.get(key)
        if live is None or not live.entry.under:
            return error(404, "rest_comment_invalid_id", "Invalid comment ID.")
        if not self._moderates and self._status(live) != "approved":
            return error(401, "rest_cannot_read", "Sorry, you are not allowed to read this comment.")
        return json_answer(self._chosen(self._comment(live)))

    def feed(self, name: str) -> Answer:
        """The newest posts ("atom") or approved comments ("comments-atom"); a feed has no second page."""
        comments = name == "comments-atom"
        if not comments and name != "atom":
            return not_found()
        found = [
            live for live in self.all if bool(live.entry.under) == comments and self._status(live) == "approved"
        ]
        entries = "".join(self._entry(live) for live in reversed(found[-FEED_LENGTH:]))
        atom = (
            '<?xml version="1.0" encoding="UTF-8" ?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-GB" '
            f'xmlns:thr="http://purl.org/syndication/thread/1.0"><id>{HOME}/?feed={name}</id>{entries}</feed>\n'
        )
        return Answer(body=atom.encode("utf-8", "replace"), content_type="application/atom+xml; charset=UTF-8")

    def _listing(
        self,
        found: Sequence[Live],
        record: Callable[[Live], dict[str, Any]],
        *,
        past_the_end: bool,
        errs: int = 0,
    ) -> Answer:
        """One page of `found`; what it says of their number `errs`."""
        query = self._request.query
        asked = int(query.get("per_page", "10"))
        if not 1 <= asked <= MOST_PER_PAGE:
            return error(400, "rest_invalid_param", "Invalid parameter(s): per_page")
        # In a search of posts quotes hold a phrase together; here every search is for one.
        words = query.get("search", "").strip('"').casefold()
        after = parse_instant(query["after"]) if "after" in query else datetime.min.replace(tzinfo=UTC)
        shown = [live for live in found if live.at > after and words in live.text.casefold()]
        shown.sort(key=lambda live: (live.at, number(live.key)), reverse=query.get("order", "desc") == "desc")
        size, asked_page = min(asked, self._request.page_size), int(query.get("page", "1"))
        last = -(-len(shown) // size)
        if past_the_end and asked_page > last and shown:
            return error(
                400, "rest_post_invalid_page_number", "The page number requested is larger than there are."
            )
        records = [self._chosen(record(live)) for live in shown[size * (asked_page - 1) : size * asked_page]]
        return json_answer(records, headers={"X-WP-Total": str(len(shown) + errs), "X-WP-TotalPages": str(last)})

    def _post(self, live: Live) -> dict[str, Any]:
        return {
            **self._dates(live),
            "modified_gmt": f"{live.versions[-1].at:%Y-%m-%dT%H:%M:%S}",
            "guid": {"rendered": f"{HOME}/?p={number(live.key)}"},
            "status": "publish",
            "type": "post",
            "title": {"rendered": escape(live.entry.title)},
            "content": {"rendered": _html(live), "protected": False},
            "author": number(f"user:{live.entry.by}", 6),
            "featured_media": 0,
            "comment_status": "open",
        }

    def _comment(self, live: Live) -> dict[str, Any]:
        author, parent = live.author, self._parent(live)
        rest = f"{self._request.site}/api/wordpress/wp-json/wp/v2"
        links = {
            "self": [{"href": f"{rest}/comments/{number(live.key)}"}],
            "collection": [{"href": f"{rest}/comments"}],
            "up": [{"embeddable": True, "post_type": "post", "href": f"{rest}/posts/{number(self._top(live))}"}],
        }
        if parent:
            links["in-reply-to"] = [{"embeddable": True, "href": f"{rest}/comments/{number(parent)}"}]
        edit = self._request.query.get("context") == "edit"
        record = {
            **self._dates(live),
            "post": number(self._top(live)),
            "parent": number(parent) if parent else 0,
            # Parents comment as visitors: a name, and no number.
            "author": number(f"user:{author.key}", 6) if author and author.school else 0,
            "author_name": author.name if author else "",
            "author_url": "",
            "author_email": f"{author.handle}@families.example" if author else "",
            "author_ip": "192.0.2.1",
            "author_user_agent": "Mozilla/5.0",
            "content": {"rendered": _html(live), **({"raw": live.text} if edit else {})},
            "status": self._status(live),
            "type": "comment",
            "author_avatar_urls": {"24": "https://secure.gravatar.com/avatar/?s=24&d=mm&r=g"},
            "meta": [],
            "_links": links,
        }
        return record if edit else {name: value for name, value in record.items() if name not in _EDIT_ONLY}

    def _dates(self, live: Live) -> dict[str, Any]:
        """What comments and posts begin with. Nothing says that the times are UTC, or when a comment was edited."""
        at, top = f"{live.at:%Y-%m-%dT%H:%M:%S}", f"{self._request.site}/school/{number(self._top(live))}/"
        link = f"{top}#comment-{number(live.key)}" if live.entry.under else top
        return {"id": number(live.key), "date": at, "date_gmt": at, "link": link}

    def _entry(self, live: Live) -> str:
        post, parent = f"{HOME}/?p={number(self._top(live))}", self._parent(live)
        html, answers, name = _html(live), post, live.author.name if live.author else "Anonymous"
        if parent:
            answers = f"{post}#comment-{number(parent)}"
            html = f'<p>In reply to <a href="{answers}">somebody</a>.</p>\n{html}'
        key, reply = post, ""
        if live.entry.under:
            key, reply = (
                f"{post}#comment-{number(live.key)}",
                f'<thr:in-reply-to ref="{answers}" type="text/html" />',
            )
        when = format_instant(live.at)
        return (
            f"<entry><title>{escape(live.entry.title)}</title>"
            f'<link rel="alternate" href="{self._dates(live)["link"]}" />'
            f"<author><name>{escape(name)}</name></author><id>{key}</id><updated>{when}</updated>"
            f'<published>{when}</published><content type="html">{escape(html)}</content>{reply}</entry>'
        )

    def _chosen(self, record: Mapping[str, Any]) -> dict[str, Any]:
        wanted = self._request.query.get("_fields", "")
        return {name: record[name] for name in (wanted.split(",") if wanted else record) if name in record}

    def _status(self, live: Live) -> str:
        """What the school hides lies in the spam folder."""
        if live.entry.hidden:
            return "spam"
        approved = live.entry.approved
        return "hold" if approved is not None and self._world.present + approved > self._request.now else "approved"

    def _top(self, live: Live) -> str:
        entry = live.entry
        while entry.under:
            entry = self._world.entry(entry.under)
        return entry.key

    def _parent(self, live: Live) -> str | None:
        """The comment that this one answers, or the one above where that was deleted."""
        above = live.entry.under
        while above and above not in self._keys:
            above = self._world.entry(above).under
        return above if above and self._world.entry(above).under else None


def _html(live: Live) -> str:
    lines = escape(live.text, quote=False).replace("\n", "<br />\n")
    photo = (
        f'<img src="https://larkfield.example/photo.jpg" alt="{escape(live.entry.alt)}" />'
        if live.entry.photo
        else ""
    )
    return f"<p>{lines}{photo}</p>\n"


def error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return json_answer({"code": code, "message": message, "data": {"status": status}}, status, headers)
