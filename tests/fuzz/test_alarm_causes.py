"""No server can make alarms without number: what it says never becomes part of a cause."""

import asyncio
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.alarm_causes import failure_alarm
from app.domain.outcome import Outcome, Scope, Sent
from tests.fuzz.dialogue import converse
from tests.fuzz.server_words import LINES
from tests.support.factories import LIFETIME, Factory, judged

WORD = "\u00a7"  # in what the server says, and in no word of ours
ANY_LINE = st.builds(
    lambda code, between, end: f"{code}{between}{WORD}{end}".encode(),
    st.integers(190, 600),
    st.sampled_from([" ", "-", " 5.1.1 ", " 4.3.", ""]),
    st.sampled_from(["\r\n", "\n", ""]),
)
SOUND = st.sampled_from([LINES[:2], [*LINES[:2], LINES[3]], [LINES[0], LINES[2], LINES[3]]])
MAIL = Factory().mail(recipients=1)


def cause(outcome: Outcome) -> str:
    """Return the cause of the alarm that a mail raises which ends with this outcome, whoever was at fault."""
    charged = outcome if isinstance(outcome, Sent) else type(outcome)(Scope.MESSAGE, outcome.reason, outcome.reply)
    alarm = failure_alarm(MAIL, judged(MAIL, [charged], usable_seconds=int(LIFETIME.total_seconds())))
    return alarm.cause if alarm else ""


@settings(max_examples=500)
@given(SOUND, st.lists(ANY_LINE | st.sampled_from(LINES), max_size=20))
@example(LINES[:2], [f"250-{WORD}\r\n550 {WORD}\r\n".encode()])
@example(LINES[:2], [f"{WORD}\r\n".encode()])
def test_a_cause_holds_nothing_that_a_server_said(welcome: list[bytes], pieces: list[bytes]) -> None:
    """Neither its words nor its codes: so there are as few causes as phrases of ours."""
    results = asyncio.run(converse([*welcome, *pieces], login=False))
    for outcome in (outcome for result in results for outcome in result.outcomes):
        assert not re.search(rf"{WORD}|\b[2-5][0-9][0-9]\b", cause(outcome))
