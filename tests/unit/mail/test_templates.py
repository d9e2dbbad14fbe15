"""Templates: a site's own are used, checked early, and can do no harm."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.domain.alert import Alert, Link
from app.domain.envelope import Templates
from app.domain.errors import ConfigurationError
from app.mail.compose import Composer
from app.mail.templates import built_in_templates, load_templates
from tests.support.mails import part_of, queued_mail, read_mail

BUILT_IN = built_in_templates()
ALERT = Alert(subject="disk <full>", content="93 %", labels={"host": "web1"}, links=(Link("https://x.example/"),))
BROKEN = {
    "syntax": "{% if %}",
    "unknown filter": "{{ subject|shout }}",
    "unknown name": "{{ sbuject }}",
    "unknown attribute": "{{ subject.nothing }}",
    "division by zero": "{{ 1 // 0 }}",
    "wrong type": "{{ subject + 1 }}",
    "endless recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "include": "{% include '/etc/passwd' %}",
    "way out of the sandbox": "{{ ().__class__.__base__.__subclasses__() }}",
    "change of the alert": "{{ labels.append(1) }}",
    "something random": "{{ labels|random }}",
    "too many": "{% for i in range(10**9) %}x{% endfor %}",
}


def render(templates: Templates) -> tuple[str, str]:
    mail = read_mail(Composer(mac_key=b"key").render(queued_mail(ALERT, templates=templates)))
    return part_of(mail, "plain"), part_of(mail, "html")


def test_a_site_without_templates_has_the_built_in_ones(tmp_path: Path) -> None:
    """No directory and an empty one both mean the built-in templates."""
    assert load_templates(None) == BUILT_IN
    assert load_templates(tmp_path) == BUILT_IN


def test_a_site_may_have_one_template_of_its_own(tmp_path: Path) -> None:
    """The file that is there is taken, the other one stays built in."""
    (tmp_path / "alert.txt.j2").write_text("{{ subject }}: {{ content }} — ☎ 110")
    templates = load_templates(tmp_path)
    assert templates.html == BUILT_IN.html
    text, html = render(templates)
    assert text == "disk <full>: 93 % — ☎ 110\n"
    assert "disk &lt;full&gt;" in html


def test_a_syntax_error_stops_the_start_and_is_named(tmp_path: Path) -> None:
    """The message has file and line."""
    (tmp_path / "alert.html.j2").write_text("<p>\n{% if subject %}\n{% endfor %}")
    with pytest.raises(ConfigurationError, match=r"alert\.html\.j2, line 3: .*endfor"):
        load_templates(tmp_path)


def test_a_misspelt_variable_stops_the_start_and_is_named(tmp_path: Path) -> None:
    """The message has the file, the wrong name and the right ones."""
    (tmp_path / "alert.txt.j2").write_text("{{ sbuject }}")
    with pytest.raises(ConfigurationError, match=r"alert\.txt\.j2: there is no sbuject; .*content.*subject"):
        load_templates(tmp_path)


def test_a_template_that_is_no_text_stops_the_start(tmp_path: Path) -> None:
    """A file in another encoding is refused at the start, not at the first alert."""
    (tmp_path / "alert.txt.j2").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ConfigurationError, match=r"alert\.txt\.j2: cannot be read"):
        load_templates(tmp_path)


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_template_gives_way_to_the_built_in_one(source: str) -> None:
    """The mail leaves as if the template were not there, and the log tells of it."""
    with capture_logs() as logs:
        rendered = render(Templates(text=source, html=source))
    assert rendered == render(BUILT_IN)
    assert [entry["event"] for entry in logs] == ["template_failed"] * 2


def test_the_log_of_a_failure_does_not_quote_the_alert() -> None:
    """Bodies never reach the log."""
    with capture_logs() as logs:
        render(Templates(text="{{ {}[content].x }}", html=BUILT_IN.html))
    assert logs
    assert ALERT.content not in str(logs)


def test_one_broken_template_leaves_the_other_in_use() -> None:
    """A broken HTML template does not cost the site its text."""
    with capture_logs():
        text, html = render(Templates(text="ours: {{ subject }}", html="{{ nothing }}"))
    assert text == "ours: disk <full>\n"
    assert "<h1" in html


def test_a_site_template_is_escaped_too() -> None:
    """Autoescape holds for every HTML template."""
    _, html = render(Templates(text="x", html="<b>{{ subject }}</b>"))
    assert html == "<b>disk &lt;full&gt;</b>\n"


def test_a_template_cannot_break_the_mail() -> None:
    """Control characters and lone CR that a template writes are cleaned like those of an alert."""
    text, _ = render(Templates(text='a{{ "\\r" }}b{{ "\\0" }}c', html="x"))
    assert text == "a\nb\ufffdc\n"
