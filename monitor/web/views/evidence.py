"""Evidence as it lies in the vault: pictures are shown, everything else is plain text or a download."""

import re

from fastapi.responses import Response
from fastapi.routing import APIRouter

from monitor.web.pages import Visiting
from monitor.web.views.arguments import Id

pages = APIRouter()

_PNG = b"\x89PNG\r\n\x1a\n"
_TEXT = re.compile(r"text/(plain|html|css|csv)|application/json")
#: A file from the vault is never a page of the desk: it runs nothing, loads nothing and belongs to no origin.
_CSP = "default-src 'none'; sandbox"


@pages.get("/evidence/{evidence_id}/{name}")
def show(visit: Visiting, evidence_id: Id, name: str) -> Response:
    with visit.window() as window:
        file = window.evidence_file(evidence_id, name)
    body = visit.desk.vault.get(file.sha256)
    headers = {"content-security-policy": _CSP, "cache-control": "private, no-store"}
    if file.media_type == "image/png" and body.startswith(_PNG):
        return Response(body, media_type="image/png", headers=headers)
    if _TEXT.fullmatch(file.media_type.partition(";")[0].strip()):
        return Response(body, media_type="text/plain; charset=utf-8", headers=headers)
    safe_name = re.sub(r"[^A-Za-z0-9._-]", "_", file.name)
    headers["content-disposition"] = f'attachment; filename="{safe_name}"'
    return Response(body, media_type="application/octet-stream", headers=headers)
