"""The templates of a mail: built in, or a site's own, which run in a sandbox and can fail without harm."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import structlog
from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError, meta
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.domain.envelope import Templates
from app.domain.errors import ConfigurationError
from app.mail.view import View

TEXT_NAME = "alert.txt.j2"
HTML_NAME = "alert.html.j2"
MAX_COMPILED = 32  # a site has one pair; a few older ones may still be in the journal

log = structlog.get_logger()


def built_in_templates() -> Templates:
    """Return the templates that come with the system."""
    folder = files("app.mail") / "templates"
    return Templates(
        text=(folder / TEXT_NAME).read_text(encoding="utf-8"),
        html=(folder / HTML_NAME).read_text(encoding="utf-8"),
    )


def load_templates(directory: Path | None) -> Templates:
    """Return the templates of `directory`, the built-in one for each that it does not have.

    Raises ConfigurationError, naming the file, when one cannot be read or cannot work.
    """
    built_in = built_in_templates()
    if directory is None:
        return built_in
    return Templates(
        text=_load(directory / TEXT_NAME, text_environment()) or built_in.text,
        html=_load(directory / HTML_NAME, html_environment()) or built_in.html,
    )


def text_environment() -> Environment:
    """Return where templates of text parts are compiled."""
    return _environment(autoescape=False)


def html_environment() -> Environment:
    """Return where templates of HTML parts are compiled: everything is escaped."""
    return _environment(autoescape=True)


class Renderer:
    """Renders one kind of part. A template that fails gives way to the built-in one; no mail is lost."""

    def __init__(self, environment: Environment, *, built_in: str) -> None:
        self._built_in_source = built_in
        self._built_in = environment.from_string(built_in)
        self._compiled = lru_cache(maxsize=MAX_COMPILED)(environment.from_string)

    def render(self, source: str, view: View) -> str:
        """Return the part as the template `source` makes it, else as the built-in one does."""
        if source != self._built_in_source:
            try:
                return _run(self._compiled(source), view)
            except Exception as error:  # noqa: BLE001  # a site's template is a program, and can raise anything
                # The message of the error may quote the alert, so only its kind is logged.
                log.warning("template_failed", alert=view["alert_id"], error=type(error).__name__)
        return _run(self._built_in, view)


def _run(template: Template, view: Mapping[str, Any]) -> str:
    # What Template.render() does, without the globals that it would merge in each time: there are none.
    context = Context(template.environment, dict(view), template.name, template.blocks)
    return "".join(template.root_render_func(context))


def _environment(*, autoescape: bool) -> Environment:
    environment = ImmutableSandboxedEnvironment(
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # A misspelt name must not leave a hole in the mail.
        undefined=StrictUndefined,
    )
    # The same mail must have the same bytes at every attempt, so a template sees the alert and nothing else,
    # and nothing in it is random.
    environment.globals.clear()
    del environment.filters["random"]
    return environment


def _load(path: Path, environment: Environment) -> str | None:
    """Return the source of the template, None if there is no such file."""
    try:
        source = path.read_text(encoding="utf-8")
        names = meta.find_undeclared_variables(environment.parse(source))
        environment.from_string(source)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}; make it a readable UTF-8 file") from error
    except TemplateSyntaxError as error:
        raise ConfigurationError(f"{path}, line {error.lineno}: {error.message}") from error
    if unknown := sorted(names - View.__required_keys__):
        known = ", ".join(sorted(View.__required_keys__))
        raise ConfigurationError(f"{path}: there is no {', '.join(unknown)}; a template has {known}")
    return source
