"""Stylesheet, scripts, font and icon, served under names with their hash, so that browsers may keep them."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

STATIC = Path(__file__).parents[1] / "static"

STYLES = ("tokens", "base", "page", "forms", "lists", "tables", "notices", "small", "print")
"""The parts of the stylesheet, in their order."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_COMPRESSED = frozenset({".css", ".js", ".svg"})
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A file as it is served: its name with its hash, and its content, also compressed."""

    name: str
    media_type: str
    content: bytes
    compressed: bytes | None


class Assets:
    """All assets, by the name that templates use."""

    def __init__(self, folder: Path = STATIC) -> None:
        font = _asset(
            "source-sans-3.woff2", _read(folder, "fonts/source-sans-3-latin-wght-normal.woff2")
        )
        css = b"\n".join(_read(folder, f"css/{part}.css") for part in STYLES)
        css = css.replace(b"{{ font }}", font.name.encode())
        files = [
            font,
            _asset("portal.css", css),
            *(
                _asset(name, _read(folder, name))
                for name in ("htmx.min.js", "portal.js", "icon.svg")
            ),
        ]
        self._by_plain_name: Mapping[str, Asset] = {_plain(asset.name): asset for asset in files}
        self._by_name: Mapping[str, Asset] = {asset.name: asset for asset in files}

    def url(self, name: str) -> str:
        """Where an asset is, by its plain name."""
        return f"/assets/{self._by_plain_name[name].name}"

    async def serve(self, request: Request) -> Response:
        """Serve an asset by its hashed name."""
        asset = self._by_name.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(404)
        return self._answer(asset, request, _FOREVER)

    async def icon(self, request: Request) -> Response:
        """Serve the icon where browsers look for it."""
        return self._answer(self._by_plain_name["icon.svg"], request, "public, max-age=86400")

    def _answer(self, asset: Asset, request: Request, kept: str) -> Response:
        headers = {"Cache-Control": kept, "Vary": "Accept-Encoding"}
        if asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.compressed, headers=headers, media_type=asset.media_type)
        return Response(asset.content, headers=headers, media_type=asset.media_type)


def _asset(name: str, content: bytes) -> Asset:
    stem, dot, suffix = name.rpartition(".")
    digest = hashlib.sha256(content).hexdigest()[:12]
    kind = dot + suffix
    small = gzip.compress(content, 9) if kind in _COMPRESSED else None
    return Asset(f"{stem}.{digest}{kind}", _TYPES[kind], content, small)


def _plain(name: str) -> str:
    stem, _, suffix = name.rsplit(".", 2)
    return f"{stem}.{suffix}"


def _read(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()
