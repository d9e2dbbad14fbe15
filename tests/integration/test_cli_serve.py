"""`mailalert serve` refuses to start with wrong settings, and says why."""

from pathlib import Path

import pytest

from tests.support.mailalert_command import mailalert

CANARY = "canary-8f3a"


def test_missing_settings_end_with_78(tmp_path: Path) -> None:
    """Somebody who just types `mailalert serve` reads what to set, and how to try it out."""
    done = mailalert("serve", home=tmp_path)
    said = done.stderr.decode()
    assert done.returncode == 78
    assert all(name in said for name in ("MAILALERT_RELAY", "MAILALERT_MAIL_FROM", "MAILALERT_MAIL_TO", "--sandbox"))


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"MAILALERT_RELAI": CANARY}, "did you mean MAILALERT_RELAY?"),
        ({"MAILALERT_HTTP__HOST": "0.0.0.0"}, "a token is required"),
        ({"MAILALERT_RELAY": f"smtps://u:{CANARY}@h:port"}, "relay: no relay URL"),
        ({"MAILALERT_HTTP__TOKEN": CANARY, "MAILALERT_RETENTION": "x"}, "retention: is no duration"),
    ],
    ids=["unknown", "open", "url", "value"],
)
def test_wrong_settings_end_with_78_and_no_secret(tmp_path: Path, environ: dict[str, str], said: str) -> None:
    """One message on stderr, without a traceback and without a secret."""
    complete = {
        "MAILALERT_RELAY": "smtp://h",
        "MAILALERT_MAIL_FROM": "a@example.org",
        "MAILALERT_MAIL_TO": "b@example.org",
    }
    done = mailalert("serve", home=tmp_path, environ=complete | environ)
    told = done.stderr.decode()
    assert done.returncode == 78
    assert said in told
    assert "Traceback" not in told
    assert CANARY not in told + done.stdout.decode()
    assert list(tmp_path.iterdir()) == []
