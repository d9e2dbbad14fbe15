"""`[[receivers]]` and `[[routes]]`: who gets mail, and which alerts."""

from pathlib import Path

import pytest

from app.domain.address import Mailbox
from app.domain.alert import Alert, Severity
from app.domain.errors import ConfigurationError
from app.domain.receiver import Receiver
from app.domain.route import receivers_for
from app.settings.load import load_settings
from app.settings.model import Settings

SENDER = {"MAILALERT_RELAY": "smtp://h", "MAILALERT_MAIL_FROM": "alerts@example.org"}
DBA = '[[receivers]]\nname = "dba"\nto = "dba@example.org"\n'
DEFAULT = '[[receivers]]\nname = "default"\ncc = "ops@example.org"\n'


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where no ./config/mailalert.toml is."""
    monkeypatch.chdir(tmp_path)


def load(toml: str = "", *, sandbox: bool = False, **environ: str) -> Settings:
    """Load a file that holds `toml`, beside what is always needed."""
    file = Path("mailalert.toml")
    file.write_text(toml, encoding="utf-8")
    variables = {f"MAILALERT_{name}": value for name, value in environ.items()}
    return load_settings(config=file, sandbox=sandbox, environ=SENDER | variables)


def complaint(toml: str, **environ: str) -> str:
    """Return what loading complains of."""
    with pytest.raises(ConfigurationError) as caught:
        load(toml, **environ)
    return str(caught.value)


# Receivers


def test_mail_to_is_the_default_receiver() -> None:
    """Most people need no table."""
    assert load(MAIL_TO="ops@example.org").all_receivers() == (
        Receiver(name="default", to=(Mailbox("ops@example.org"),)),
    )


def test_a_table_says_all_of_a_receiver() -> None:
    """Every field arrives, and who stands in two lists is in the first."""
    toml = """
        [[receivers]]
        name = "dba"
        to = ["dba@example.org", "Oncall <oncall@example.org>"]
        cc = "lead@example.org; dba@example.org"
        bcc = "archive@example.org"
        reply_to = "Team <team@example.org>"
        minimum_severity = "error"
    """
    assert load(toml, MAIL_TO="ops@example.org").all_receivers()[1] == Receiver(
        name="dba",
        to=(Mailbox("dba@example.org"), Mailbox("oncall@example.org", "Oncall")),
        cc=(Mailbox("lead@example.org"),),
        bcc=(Mailbox("archive@example.org"),),
        reply_to=Mailbox("team@example.org", "Team"),
        minimum_severity=Severity.ERROR,
    )


def test_a_default_table_stands_in_for_mail_to() -> None:
    """Then mail_to is not required, and those of the table get the alarms too."""
    settings = load(DEFAULT)
    assert settings.default_receiver().cc == (Mailbox("ops@example.org"),)
    assert settings.alarm_receiver() == settings.default_receiver()


def test_receivers_stand_in_one_variable() -> None:
    """As a JSON array, like the relays."""
    tables = '[{"name": "dba", "to": "dba@example.org"}]'
    assert [r.name for r in load(MAIL_TO="ops@example.org", RECEIVERS=tables).all_receivers()] == ["default", "dba"]


@pytest.mark.parametrize(
    ("toml", "names"),
    [("", ["default"]), (DBA, ["default", "dba"]), (DEFAULT, ["default"])],
    ids=["nothing", "one more", "its own default"],
)
def test_the_sandbox_has_a_default_receiver(toml: str, names: list[str]) -> None:
    """Whatever is set, and it can try out receivers and routes."""
    assert [receiver.name for receiver in load(toml, sandbox=True).all_receivers()] == names


WRONG_RECEIVERS = {
    "the default one twice": (DEFAULT, 'mail_to and a receiver "default": both are given'),
    "one name twice": (DBA + DBA, 'receivers: 2 of them are called "dba"'),
    "nobody": ('[[receivers]]\nname = "dba"', 'receivers in table 1: "dba" has no recipient; give it to, cc or bcc'),
    "no name": ('[[receivers]]\nto = "a@example.org"', "receivers.name in table 1: is missing"),
    "a name with a plus": ('[[receivers]]\nname = "a+b"\nto = "a@example.org"', "is no name of a receiver"),
    "a name with an empty part": ('[[receivers]]\nname = "a..b"\nto = "a@example.org"', "is no name of a receiver"),
    "no address": ('[[receivers]]\nname = "a"\nto = "dba"', "receivers.to in table 1: 'dba' is no mail address"),
    "no severity": (
        '[[receivers]]\nname = "a"\nto = "a@example.org"\nminimum_severity = "high"',
        "receivers.minimum_severity in table 1: is none of 'info', 'warning', 'error' or 'critical'",
    ),
    "a wrong key": (
        '[[receivers]]\nname = "a"\nreplyto = "a@example.org"',
        "receivers.replyto: no such setting in table 1; did you mean receivers.reply_to?",
    ),
    "no table": ('receivers = "dba"', "is no array of tables; write [[receivers]] in the file"),
}


@pytest.mark.parametrize(("toml", "said"), WRONG_RECEIVERS.values(), ids=WRONG_RECEIVERS.keys())
def test_a_wrong_receiver_is_told_with_its_place(toml: str, said: str) -> None:
    """Which table, what is wrong, and how to set it."""
    assert said in complaint(toml, MAIL_TO="ops@example.org")


def test_without_a_default_receiver_mail_to_is_missing() -> None:
    """Somebody has to get what no route leads elsewhere."""
    assert "mail_to: who gets the mail" in complaint(DBA)


# Routes

OTHERS = DBA + '[[receivers]]\nname = "web"\nto = "web@example.org"\n'
ROUTES = {
    "a matcher": ('receivers = "dba"\nmatchers = ["team=db"]', {"team": "db"}, ("dba",)),
    "a single matcher as text": ("""receivers = "dba"\nmatchers = 'team=~"db,web"'""", {"team": "db,web"}, ("dba",)),
    "several receivers": ('receivers = ["dba", "web"]', {}, ("dba", "web")),
    "several in one text": ('receivers = "dba, web"', {}, ("dba", "web")),
    "severities": ('receivers = "dba"\nseverity = ["error", "critical"]', {}, ("dba",)),
    "severities in one text": ('receivers = "dba"\nseverity = "warning, error"', {}, ("dba",)),
    "other severities": ('receivers = "dba"\nseverity = "info"', {}, ("default",)),
    "a minimum": ('receivers = "dba"\nminimum_severity = "critical"', {}, ("default",)),
    "continue": ('receivers = "dba"\ncontinue = true\n[[routes]]\nreceivers = "web"', {}, ("dba", "web")),
    "routes below": ('receivers = "dba"\n[[routes.routes]]\nreceivers = "web"', {}, ("web",)),
    "the receivers from above": ('receivers = "dba"\n[[routes.routes]]\nmatchers = ["a="]', {}, ("dba",)),
    "the default one from above": ('matchers = ["a="]', {}, ("default",)),
}


@pytest.mark.parametrize(("toml", "labels", "expected"), ROUTES.values(), ids=ROUTES.keys())
def test_routes_lead_as_they_are_written(toml: str, labels: dict[str, str], expected: tuple[str, ...]) -> None:
    """Each setting does what it says, for an error."""
    settings = load(f"{OTHERS}[[routes]]\n{toml}", MAIL_TO="ops@example.org")
    alert = Alert(subject="x", severity=Severity.ERROR, labels=labels)
    assert receivers_for(settings.route_tree(), alert) == expected


WRONG_ROUTES = {
    "an unknown receiver": ('receivers = "dbs"', 'routes in table 1: there is no receiver "dbs"; did you mean "dba"?'),
    "one that is like none": ('receivers = "zzz"', 'there is no receiver "zzz"; declare it by [[receivers]]'),
    "below another": (
        '[[routes.routes]]\n[[routes.routes]]\nreceivers = ["dbb"]',
        'routes in table 1, routes in table 2: there is no receiver "dbb"',
    ),
    "no matcher": ('matchers = ["team"]', "routes.matchers in table 1: 'team' is no matcher"),
    "no pattern": ('matchers = ["team=~("]', "'team=~(' has a regular expression that is none of RE2's syntax"),
    "no list": ("matchers = 3", "routes.matchers in table 1: is no list"),
    "no severity": ('severity = ["high"]', "is no list of severities"),
    "severities that exclude each other": (
        'severity = ["info"]\nminimum_severity = "error"',
        "no severity of the list reaches minimum_severity",
    ),
    "Alertmanager's key": (
        'receiver = "dba"',
        "routes.receiver: no such setting in table 1; did you mean routes.receivers?",
    ),
    "a wrong key": ('match = "a=b"', "routes.match: no such setting in table 1; did you mean routes.matchers?"),
    "a wrong key below": ("[[routes.routes]]\ncontinued = true", "did you mean routes.continue?"),
    "a wrong value below": (
        '[[routes.routes]]\nminimum_severity = "x"',
        "(set minimum_severity below [[routes.routes]] in the configuration file, or in MAILALERT_ROUTES",
    ),
    "nested without end": ("".join(f"[[routes{'.routes' * depth}]]\n" for depth in range(1, 10)), "8 deep"),
}


@pytest.mark.parametrize(("toml", "said"), WRONG_ROUTES.values(), ids=WRONG_ROUTES.keys())
def test_a_wrong_route_is_told_with_its_place(toml: str, said: str) -> None:
    """At the start: a route that leads nowhere would lose alerts at night."""
    assert said in complaint(f"{OTHERS}[[routes]]\n{toml}", MAIL_TO="ops@example.org")
