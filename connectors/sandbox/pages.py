"""Post pages as a browser shows them: the conversation, with the item that was asked for set apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from connectors.sandbox.server import HTML, Answer
from connectors.sandbox.world import Live
from monitor.domain.clock import format_instant

_STYLE = """
body{margin:0;background:#f0f2f5;color:#1c1e21;font:16px/1.45 system-ui,"DejaVu Sans",sans-serif}
header{padding:.8rem 1.2rem;color:#fff;background:var(--brand);font-weight:700;font-size:1.2rem}
main{max-width:38rem;margin:1rem auto;padding:0 .5rem}
article{background:#fff;border-radius:.6rem;padding:.8rem 1rem;margin:.5rem 0;border-left:4px solid transparent}
article[aria-current]{border-left-color:var(--brand);box-shadow:0 0 0 2px var(--brand)}
.who{font-weight:700}.handle,time,.note{color:#65676b;font-size:.9rem}
p{white-space:pre-wrap;overflow-wrap:anywhere;margin:.4rem 0}
.photo{height:9rem;border-radius:.4rem;background:linear-gradient(135deg,#c9d6df,#e4e6e9 55%,#cfd8c8)}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    name: str
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One item on the page, `depth` levels below the post, under the HTML id `anchor`."""

    live: Live
    depth: int
    anchor: str


def page(brand: Brand, title: str, items: Sequence[Shown], focus: str) -> Answer:
    """The conversation as HTML; `focus` is the key of the item that was asked for."""
    articles = "\n".join(_article(item, item.live.key == focus) for item in items)
    return _answer(brand, title, f"<main>{articles}</main>", 200)


def gone(brand: Brand) -> Answer:
    """What people see of a deleted post."""
    text = (
        "<main><article><h1>This post is no longer available</h1><p>It may have been deleted.</p></article></main>"
    )
    return _answer(brand, "No longer available", text, 404)


def thread(root: Live, everything: Sequence[Live]) -> list[tuple[Live, int]]:
    """`root` and what stands below it, in reading order, each with its depth."""
    found = [(root, 0)]
    for child in everything:
        if child.entry.under == root.key:
            found += [(live, depth + 1) for live, depth in thread(child, everything)]
    return found


def _article(item: Shown, focused: bool) -> str:
    live = item.live
    name, handle = (live.author.name, live.author.handle) if live.author else ("Unknown", "")
    current = ' aria-current="true"' if focused else ""
    edited = '<span class="note"> · Edited</span>' if len(live.versions) > 1 else ""
    described = escape(live.entry.alt or "A photo")
    photo = f'<div class="photo" role="img" aria-label="{described}"></div>' if live.entry.photo else ""
    title = f"<h1>{escape(live.entry.title)}</h1>" if live.entry.title else ""
    return (
        f'<article id="{escape(item.anchor)}" style="margin-left:{2 * min(item.depth, 4)}rem"{current}>'
        f'<span class="who">{escape(name)}</span> <span class="handle">{escape(handle)}</span> · '
        f'<time datetime="{format_instant(live.at)}">{_said(live.at)}</time>{edited}'
        f"{title}<p>{escape(live.text)}</p>{photo}</article>"
    )


def _said(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y} at {moment:%H:%M} UTC"


def _answer(brand: Brand, title: str, content: str, status: int) -> Answer:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} · {brand.name}</title>'
        f'<meta name="viewport" content="width=device-width"><style>:root{{--brand:{brand.colour}}}{_STYLE}</style>'
        f"</head><body><header>{brand.name}</header>{content}</body></html>"
    )
    return Answer(status=status, body=html.encode("utf-8", "replace"), content_type=HTML)
