"""Alerts that try to be more than content: headers, recipients, commands, a second mail."""

import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.support.background_relay import background_relay, parsed
from tests.support.fault_run import FaultRun
from tests.support.mails import part_of
from tests.support.scripted_smtp import ScriptedSmtp

EVIL = "x\r\nBcc: evil@example.net\r\nX-Evil: 1\r\n\r\nnew body\n.\nMAIL FROM:<evil@example.net>\r\n"
HEADERS = {
    "auto-submitted", "content-transfer-encoding", "content-type", "date", "from", "importance", "in-reply-to",
    "list-id", "message-id", "mime-version", "references", "subject", "to", "x-auto-response-suppress",
    "x-mailalert-id", "x-priority",
}  # fmt: skip
FIELDS: dict[str, dict[str, Any]] = {
    "subject": {"subject": EVIL},
    "content": {"content": EVIL},
    "source": {"source": EVIL},
    "key": {"key": EVIL},
    "label": {"labels": {"host": EVIL}},
    "label-name": {"labels": {EVIL: "db1"}},
    "link-title": {"links": [{"url": "https://example.org/", "title": EVIL}]},
    "unknown-field": {"Bcc": "evil@example.net", EVIL: EVIL},
    "attachment-name": {"attachments": [{"name": EVIL, "content": "eA=="}]},
    "attachment-type": {"attachments": [{"name": "x", "content_type": EVIL, "content": "eA=="}]},
}
CONTENTS = {
    "bare-lf": "one\ntwo\n",
    "bare-cr": "one\rtwo\rthree",
    "mixed-ends": "one\r\ntwo\rthree\nfour\n\rfive",
    "leading-dots": ".\n..\n...\n.hidden\r\n.hidden",
    "lone-dot": "before\r\n.\r\nafter",
    "smuggled-crlf": "x\r\n.\r\nMAIL FROM:<evil@example.net>\r\nRCPT TO:<evil@example.net>\r\nDATA\r\nhi\r\n.\r\n",
    "smuggled-lf": "x\n.\nMAIL FROM:<evil@example.net>\nRCPT TO:<evil@example.net>\nDATA\nhi\n.\n",
    "smuggled-cr": "x\r.\rMAIL FROM:<evil@example.net>\r",
    "smuggled-mixed": "x\n.\r\nMAIL FROM:<evil@example.net>\r\n",
    "long-line": "x" * 5000 + "\n" + "é" * 5000,
    "no-line-end": "the end",
}  # fmt: skip


def spoken(relay: ScriptedSmtp) -> list[str]:
    """Return the envelopes that were asked for, as the relay heard them."""
    return [line.partition(" SIZE=")[0] for line in relay.commands if line.startswith(("MAIL", "RCPT"))]


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_header_injection(tmp_path: Path, fields: dict[str, Any]) -> None:
    """Fault 20: no field of an alert adds a header, a recipient or a command."""
    with background_relay() as relay, FaultRun(tmp_path, relay.port) as run:
        run.post(**{"subject": "disk full", **fields})
        run.settle()
        balance = run.close(relay.mails)
    (mail,) = relay.mails
    assert balance.delivered == 1
    assert {name.lower() for name in parsed(mail).keys()} <= HEADERS  # noqa: SIM118 - a message's keys may repeat
    assert parsed(mail)["Subject"].startswith("[")
    assert spoken(relay) == ["MAIL FROM:<alerts@example.org>", "RCPT TO:<ops@example.org>"]


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("capabilities", [("PIPELINING",), ()], ids=["pipelined", "stop-and-wait"])
def test_content_that_looks_like_smtp(tmp_path: Path, content: str, capabilities: tuple[str, ...]) -> None:
    """Fault 21: whatever the content holds, it arrives line by line, and no second message with it."""
    with background_relay(capabilities=capabilities) as relay, FaultRun(tmp_path, relay.port) as run:
        run.post(content=content)
        run.settle()
        balance = run.close(relay.mails)
    (mail,) = relay.mails
    assert re.sub("\r\n?", "\n", content).rstrip("\n") in part_of(parsed(mail), "plain")
    assert balance.delivered == 1
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", mail.wire), "a bare CR or LF, which some servers take for a line end"
    assert max(map(len, mail.wire.split(b"\r\n"))) <= 998  # RFC 5322 section 2.1.1
    assert spoken(relay) == ["MAIL FROM:<alerts@example.org>", "RCPT TO:<ops@example.org>"]


def test_attached_bytes(tmp_path: Path) -> None:
    """Fault 21: a file with every dangerous byte arrives byte-exact."""
    hostile = bytes(range(256)) * 20 + b"\r\n.\r\nMAIL FROM:<evil@example.net>\r\n\n.\n\r.\r" + b"." * 5000
    with background_relay() as relay, FaultRun(tmp_path, relay.port) as run:
        run.post(attachments=[{"name": "hostile.bin", "content": b64encode(hostile).decode()}])
        run.settle()
        balance = run.close(relay.mails)
    (attached,) = parsed(relay.mails[0]).iter_attachments()
    assert attached.get_content() == hostile
    assert balance.delivered == 1
