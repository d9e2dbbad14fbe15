"""Renders the sandbox's page from its template, and finds the files that belong to it."""

from datetime import datetime
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from app.sandbox.preview import Preview
from app.sandbox.store import MAX_MAILS, KeptMail

ASSETS = {"sandbox.css": "text/css", "sandbox.js": "text/javascript"}


def page(
    *,
    mails: list[KeptMail],
    received: int,
    now: datetime,
    kept: KeptMail | None,
    shown: Preview | None,
    view: str,
    wanted: int | None,
    base_url: str,
) -> str:
    """Return the page as HTML. `wanted` without `kept` is a mail that is gone."""
    return _template().render(
        mails=mails,
        received=received,
        today=now.astimezone().date(),
        kept=kept,
        shown=shown,
        view=view,
        wanted=wanted,
        base_url=base_url,
        limit=MAX_MAILS,
    )


@cache
def asset(name: str) -> tuple[str, str] | None:
    """Return content and media type of a static file, None when there is none of this name."""
    if name not in ASSETS:
        return None
    return (files("app.sandbox") / "static" / name).read_text(encoding="utf-8"), ASSETS[name]


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("app.sandbox"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"size": _size, "local": datetime.astimezone}
    return environment.get_template("page.html.j2")


def _size(count: int) -> str:
    """Return a number of bytes as people read it."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
