"""What mail after mail says about a relay, where one mail alone says nothing."""

import structlog

from app.delivery.connection import SendResult
from app.domain.outcome import Deferred, Outcome, Refused, Reply, Scope

log = structlog.get_logger()

REFUSED_SENDERS = 5  # mails in a row; a sender that only one of them has is that mail's own fault
NOT_TAKEN = 5  # mails in a row that the relay put off, or that it lost behind their final dot
LOST_STEPS = 2  # dialogues in a row: one may be a network that broke just then

REFUSES_SENDERS = (
    "the relay refuses the sender of every mail; set mail_from to what this account may send as, and leave verp off"
    " where it may send as nobody else"
)
TAKES_NOTHING = "the relay takes none of the mails; it puts them off, or breaks off behind their content"


class TrackRecord:
    """Counts for one relay. A fault that it comes to is the relay's, so the queue is not burnt on it."""

    def __init__(self, name: str) -> None:
        """`name` is the relay's, for the log."""
        self._name = name
        self._refusal_code = 0
        self._refusals = 0
        self._not_taken = 0
        self._lost_steps = {False: 0, True: 0}  # by whether the envelope had gone out ahead

    @property
    def bears_pipelining(self) -> bool:
        """Whether commands may go out before the ones before them are answered."""
        return self._lost_steps[False] < LOST_STEPS

    @property
    def bears_overlap(self) -> bool:
        """Whether the envelope of a mail may go out behind the content of the one before."""
        return self._lost_steps[True] < LOST_STEPS

    def note_sender(self, result: SendResult) -> Deferred | None:
        """Note how the relay answered MAIL; return the fault if it refuses mail after mail with the same code."""
        refusal = result.sender_refusal
        if refusal is not None:
            same = refusal.code == self._refusal_code
            self._refusal_code, self._refusals = refusal.code, self._refusals + 1 if same else 1
        elif result.mail_taken_up:  # a connection that broke before the answer says nothing
            self._refusals = 0
        if refusal is None or self._refusals < REFUSED_SENDERS:
            return None
        return Deferred(Scope.RELAY, REFUSES_SENDERS, refusal)

    def note_answer(self, result: SendResult, *, again: bool = False) -> Deferred | None:
        """Note what became of a mail; return the fault if the relay takes none, mail after mail.

        `again`: it is one more transaction of the same mail, which may be of a kind that the relay puts off.
        """
        self._forget_lost_steps(ahead=result.ahead)
        if any(map(is_word, result.outcomes)):
            self._not_taken = 0
            return None
        reply = _reply(result.outcomes[0])
        if again and reply is not None:
            return None
        self._not_taken += 1
        if self._not_taken < NOT_TAKEN:
            return None
        self._not_taken = NOT_TAKEN - 1  # behind the pause one mail decides
        return Deferred(Scope.RELAY, TAKES_NOTHING, reply)

    def note_lost_step(self, *, ahead: bool) -> None:
        """Note a dialogue that broke as if the relay did not bear the pipelining that it announces."""
        self._lost_steps[ahead] += 1
        if self._lost_steps[ahead] == LOST_STEPS:
            log.warning("pipelining_given_up", relay=self._name, of="following mails" if ahead else "commands")

    def _forget_lost_steps(self, *, ahead: bool) -> None:
        if self._lost_steps[ahead] < LOST_STEPS:  # what was given up stays so until the next start
            self._lost_steps[ahead] = 0


def is_word(outcome: Outcome) -> bool:
    """Tell whether the relay has said something about this recipient, and not only put off or lost the mail."""
    return not isinstance(outcome, Deferred) or outcome.scope is Scope.RECIPIENT


def _reply(outcome: Outcome) -> Reply | None:
    return outcome.reply if isinstance(outcome, Deferred | Refused) else None
