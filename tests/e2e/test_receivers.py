"""Who gets it: receivers and routes of the settings, names in the URL, and people whom a sender may name."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.background_relay import background_relay, parsed
from tests.support.daemon import Daemon, mail_settings
from tests.support.scripted_smtp import ScriptedSmtp, StoredMail
from tests.support.waiting import until

DBA = {
    "name": "dba",
    "to": "dba@example.org, Oncall <oncall@example.org>",
    "cc": "lead@example.org",
    "bcc": "audit@example.org",
    "reply_to": "team@example.org",
}
PAGER = {"name": "pager", "bcc": "pager@example.org", "minimum_severity": "critical"}
ROUTES = [
    {"receivers": "pager", "severity": "critical", "continue": True},
    {"receivers": "dba", "matchers": ['team=~"db|storage"']},
    {"receivers": "pager", "matchers": ["team=night"]},
]


@pytest.fixture(scope="module")
def relay() -> Iterator[ScriptedSmtp]:
    """A relay that takes everything."""
    with background_relay() as running:
        yield running


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, relay: ScriptedSmtp) -> Iterator[Daemon]:
    """A running daemon with these receivers and routes."""
    tables = {"receivers": json.dumps([DBA, PAGER]), "routes": json.dumps(ROUTES)}
    with Daemon(tmp_path_factory.mktemp("receivers") / "var", **mail_settings(relay.port, **tables)) as running:
        yield running.start()


def sent(daemon: Daemon, relay: ScriptedSmtp, alert: Mapping[str, Any], *, path: str = "/alerts") -> list[StoredMail]:
    """Post an alert, and return its mails once all of them have left."""
    before = len(relay.mails)
    answer = daemon.post(alert, path)
    assert answer.status == 202, answer.body
    number = answer.json["id"]
    until(lambda: shown(daemon, number)["state"] in {"sent", "kept"}, why=lambda: daemon.lines)
    return sorted(relay.mails[before:], key=lambda mail: mail.recipients)


def shown(daemon: Daemon, number: str) -> Any:
    """Return what the daemon says of an alert."""
    return daemon.get(f"/alerts/{number}").json


ROUTED = {
    "no route": ({}, [("ops@example.org",)]),
    "by a label": (
        {"labels": {"team": "db"}},
        [("dba@example.org", "oncall@example.org", "lead@example.org", "audit@example.org")],
    ),
    "by severity": ({"severity": "critical"}, [("pager@example.org",)]),
    "by both": (
        {"severity": "critical", "labels": {"team": "storage"}},
        [
            ("dba@example.org", "oncall@example.org", "lead@example.org", "audit@example.org"),
            ("pager@example.org",),
        ],
    ),
}


@pytest.mark.parametrize(("fields", "recipients"), ROUTED.values(), ids=ROUTED.keys())
def test_routes_choose_the_receivers(
    daemon: Daemon, relay: ScriptedSmtp, fields: dict[str, Any], recipients: list[tuple[str, ...]]
) -> None:
    """One mail for each receiver, in one transaction with all of its people."""
    mails = sent(daemon, relay, {"subject": "disk full", **fields})
    assert [mail.recipients for mail in mails] == recipients


def test_a_receivers_mail_shows_its_people_and_hides_the_blind_copy(daemon: Daemon, relay: ScriptedSmtp) -> None:
    """To, Cc and Reply-To stand in it, the List-Id is its own, and the blind copy is in the envelope alone."""
    (mail,) = sent(daemon, relay, {"subject": "slow", "labels": {"team": "db"}})
    message = parsed(mail)
    assert (message["To"], message["Cc"]) == ("dba@example.org, Oncall <oncall@example.org>", "lead@example.org")
    assert (message["Reply-To"], message["List-Id"]) == ("team@example.org", "<dba.alerts.example.org>")
    assert b"audit" not in mail.data


def test_a_receiver_of_blind_copies_alone_names_nobody(daemon: Daemon, relay: ScriptedSmtp) -> None:
    """And the mail has a To all the same."""
    (mail,) = sent(daemon, relay, {"subject": "fire", "severity": "critical"})
    assert parsed(mail)["To"] == "undisclosed-recipients:;"


def test_what_no_receiver_takes_is_kept_and_the_sender_told(daemon: Daemon, relay: ScriptedSmtp) -> None:
    """202 with a warning; it can be looked up, and nobody is mailed."""
    before = len(relay.mails)
    answer = daemon.post({"subject": "quiet", "labels": {"team": "night"}})
    alert = shown(daemon, answer.json["id"])
    assert answer.status == 202
    assert "no receiver takes an alert of severity warning (pager)" in answer.json["warnings"][0]
    assert (alert["state"], alert["mails"]) == ("kept", [])
    assert [line["id"] for line in daemon.get("/alerts?state=kept").json["alerts"]][:1] == [alert["id"]]
    assert len(relay.mails) == before


def test_the_url_names_receivers(daemon: Daemon, relay: ScriptedSmtp) -> None:
    """A team gives its tools a URL of its own; several may be named."""
    mails = sent(daemon, relay, {"subject": "theirs"}, path="/alerts?receiver=dba&receiver=default")
    assert [mail.recipients[0] for mail in mails] == ["dba@example.org", "ops@example.org"]


def test_a_wrong_name_in_the_url_loses_nothing(daemon: Daemon, relay: ScriptedSmtp) -> None:
    """The alert goes where the routes lead, and the sender is told."""
    answer = daemon.post({"subject": "mistyped", "labels": {"team": "db"}}, "/alerts?receiver=dbaa")
    assert answer.json["warnings"] == ['receiver: there is no "dbaa"; the alert goes where the routes lead']
    until(lambda: shown(daemon, answer.json["id"])["state"] == "sent", why=lambda: daemon.lines)
    assert relay.mails[-1].recipients[0] == "dba@example.org"


def test_an_unknown_receiver_in_a_route_ends_the_start(tmp_path: Path) -> None:
    """With 78, and the name that was probably meant."""
    tables = {"receivers": json.dumps([DBA]), "routes": json.dumps([{"receivers": "dab"}])}
    with Daemon(tmp_path / "var", **mail_settings(1, **tables)) as daemon:
        daemon.spawn()
        assert daemon.wait() == 78
        assert 'there is no receiver "dab"; did you mean "dba"?' in "\n".join(daemon.lines)


# People whom a sender names


@pytest.fixture
def open_daemon(tmp_path: Path, relay: ScriptedSmtp) -> Iterator[Daemon]:
    """A running daemon whose senders may name people of one domain."""
    settings = mail_settings(relay.port, http__allowed_recipients="allowed.example")
    with Daemon(tmp_path / "var", **settings) as running:
        yield running.start()


def test_people_who_are_allowed_get_the_mail_alone(open_daemon: Daemon, relay: ScriptedSmtp) -> None:
    """Under the address that the sender gave; the receivers do not get it."""
    (mail,) = sent(open_daemon, relay, {"subject": "yours", "to": "Ann <ann@allowed.example>"})
    assert mail.recipients == ("ann@allowed.example",)
    assert parsed(mail)["To"] == "ann@allowed.example"
    assert parsed(mail)["List-Id"] == "<alerts.example.org>"


def test_others_get_nothing_and_the_receivers_do(open_daemon: Daemon, relay: ScriptedSmtp) -> None:
    """This is no open relay: the alert goes to those who are allowed and to its receivers, with a warning."""
    before = len(relay.mails)
    answer = open_daemon.post({"subject": "x", "to": ["ann@allowed.example", "eve@elsewhere.example"]})
    until(lambda: shown(open_daemon, answer.json["id"])["state"] == "sent", why=lambda: open_daemon.lines)
    assert sorted(mail.recipients for mail in relay.mails[before:]) == [("ann@allowed.example",), ("ops@example.org",)]
    assert answer.json["warnings"][0].startswith("to: ")
