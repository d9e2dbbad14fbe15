"""`GET /docs`: the API to read and to try out, from files that come with the program: it needs no internet."""

from collections.abc import Callable
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter
from fastapi.responses import Response

HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mail Alert System: the API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
});
"""
MEDIA_TYPES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
# Swagger UI puts styles into its elements and pictures into its style sheet.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
CACHED = {"Cache-Control": "private, max-age=86400"}  # 1.7 MB that change with the program only


def docs_router() -> APIRouter:
    """Return the routes of the page and its files."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs() -> Response:
        return Response(HTML, media_type="text/html", headers=HEADERS)

    @router.get("/docs/start.js")
    async def start() -> Response:
        return Response(START, media_type="text/javascript", headers=HEADERS)

    for name, media_type in MEDIA_TYPES.items():
        router.add_api_route(f"/docs/{name}", _file(_resources() / name, media_type), methods=["GET"])
    return router


def _resources() -> Traversable:
    return files("fastapi_swagger") / "resources"


def _file(source: Traversable, media_type: str) -> Callable[[], Response]:
    def serve() -> Response:  # not async: FastAPI reads the file in a thread
        return Response(source.read_bytes(), media_type=media_type, headers=HEADERS | CACHED)

    return serve
