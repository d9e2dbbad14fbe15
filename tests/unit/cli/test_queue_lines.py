"""The list of mails, for people and for programs."""

from typing import Any

from app.cli.queue_lines import for_people, for_programs

ALERT = {
    "id": "0146KBZ9XG000",
    "received_at": "2026-03-04T05:06:07.890Z",
    "state": "queued",
    "severity": "critical",
    "subject": "disk full on a machine with a very long name",
}
LETTER: dict[str, Any] = {
    "id": "0146KBZ9XG003",
    "alert_id": "0146KBZ9XG001",
    "failed_at": "2026-03-04T05:06:07.890Z",
    "severity": "info",
    "subject": "s",
    "recipients": [
        {"address": "a@example.org", "text": "mailbox does not exist (550 5.1.1), not retried"},
        {"address": "b@example.org", "text": "mailbox is full (552 5.2.2), given up"},
    ],
}


def test_a_table_has_its_columns_below_each_other() -> None:
    """Under headings, however long a word is."""
    heading, first, second = for_people([ALERT, ALERT | {"severity": "info"}], width=200)
    assert heading.index("SUBJECT") == first.index("disk full") == second.index("disk full")
    assert first.startswith("0146KBZ9XG000  ")
    assert heading.split() == ["ID", "TIME", "STATE", "SEVERITY", "SUBJECT"]


def test_a_long_subject_is_cut_to_the_terminal() -> None:
    """A line stays a line."""
    _, line = for_people([ALERT], width=80)
    assert len(line) == 80
    assert line.endswith("…")


def test_a_dead_letter_shows_who_did_not_get_it_and_why() -> None:
    """One line below it for each recipient."""
    _, line, *recipients = for_people([LETTER], width=80)
    assert "failed" in line
    assert recipients == [
        "    a@example.org: mailbox does not exist (550 5.1.1), not retried",
        "    b@example.org: mailbox is full (552 5.2.2), given up",
    ]


def test_nothing_is_said_to_be_nothing() -> None:
    """An empty table would look like a fault."""
    assert list(for_people([], width=80)) == ["None."]


def test_programs_get_whole_fields_between_tabs() -> None:
    """A recipient is a line of its own, and nothing is cut or translated."""
    assert list(for_programs([ALERT])) == [
        f"0146KBZ9XG000\t2026-03-04T05:06:07.890Z\tqueued\tcritical\t{ALERT['subject']}"
    ]
    first, second = for_programs([LETTER])
    assert first.split("\t")[5:] == ["a@example.org", "mailbox does not exist (550 5.1.1), not retried"]
    assert second.split("\t")[:4] == ["0146KBZ9XG001", "2026-03-04T05:06:07.890Z", "failed", "info"]
