"""One mail over a ready session: MAIL, RCPT, DATA and the final dot, as a state machine without I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import ClassVar

from app.domain.classify import CLOSING, Stage, classify
from app.domain.errors import AddressError, ProtocolError
from app.domain.outcome import Deferred, Outcome, Refused, Reply, Scope
from app.protocols.smtp.capabilities import Capabilities
from app.protocols.smtp.dotstuff import END
from app.protocols.smtp.reply import ServerReply


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail as it is handed over: `data` is the whole message, lines ended by CRLF, dots not doubled.

    Raises AddressError for an address that would break out of its command; "" is the null sender.
    """

    sender: str
    recipients: tuple[str, ...]
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        path = "".join((self.sender, *self.recipients))
        if not self.recipients or not all(self.recipients):
            raise AddressError("a mail needs recipients, none of them empty")
        if not (path.isascii() and path.isprintable()) or " " in path or "<" in path or ">" in path:
            raise AddressError(f"{path!r} cannot stand in an SMTP command; write addresses as name@example.org")


class Step(IntEnum):
    """What the transaction waits for: a reply to this, or in CONTENT for its driver to send the content.

    An IntEnum, because its hash is computed in C: the table below is read for every reply.
    """

    RSET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    CONTENT = auto()
    DOT = auto()
    LONE_DOT = auto()  # nobody was accepted, and DATA all the same


class Transaction:
    """Replies in, commands out, one outcome per recipient in the end.

    With PIPELINING everything up to DATA goes out at once (RFC 2920), else one command per reply.
    `reset_first` clears what an earlier transaction has left on the session.
    """

    def __init__(self, mail: OutgoingMail, capabilities: Capabilities, *, reset_first: bool = False) -> None:
        self.step = Step.RSET if reset_first else Step.MAIL
        self.finished = False  # nothing more is to be sent or awaited
        self.needs_reset = False  # the server still holds this transaction
        self.intact = True  # both sides agree on where the dialogue stands
        self.past_final_dot = False
        self.mail_answered = False  # by anything but 421: from here on the attempt counts
        self.mail_taken_up = False  # MAIL was accepted: what fails from here on may be this mail's fault
        self.sender_refusal: Reply | None = None  # the permanent refusal of MAIL
        self._pipelining = capabilities.pipelining
        self._commands = _commands(mail, capabilities, reset_first=reset_first)
        self._said = 0
        self._results: list[Outcome | None] = [None] * len(mail.recipients)
        self._answered = 0  # recipients so far
        self._accepted = 0

    def start(self) -> bytes:
        """Return what to send first."""
        return b"".join(self._commands) if self._pipelining else self._next_command()

    def receive(self, reply: ServerReply) -> bytes:
        """Take the next reply, return what to send next. Raises ProtocolError for a reply out of place."""
        if self.finished:
            raise ProtocolError(f"the relay spoke out of turn: {reply}")
        if reply.code == CLOSING:
            self.intact = False
            return self._decide_rest(self._stage(), reply)
        return self._ACTIONS[self.step](self, reply)

    def final_dot_sent(self) -> None:
        """Note that the last byte of the content went out: from here on a loss is ambiguous."""
        self.past_final_dot = True
        self.step = Step.DOT

    def lost(self, reason: str) -> None:
        """End it without a reply: the connection broke, timed out, or made no sense any more."""
        self.intact = False
        if self.past_final_dot:
            # RFC 1047: the relay may have taken the mail, and only its answer was lost.
            self._settle(Deferred(Scope.MESSAGE, f"{reason}; it may have taken the mail", ambiguous=True))
        else:
            self._settle(Deferred(Scope.RELAY, reason))

    def outcomes(self) -> tuple[Outcome, ...]:
        """Return what became of each recipient, in the order of the mail, once it is finished or lost."""
        return tuple(outcome for outcome in self._results if outcome is not None)

    def _on_rset(self, reply: ServerReply) -> bytes:
        if not reply.is_positive:  # RFC 5321 section 4.1.1.5: RSET cannot be refused
            raise ProtocolError(f"the relay refused RSET: {reply.summary()}")
        self.step = Step.MAIL
        return self._next_command()

    def _on_mail(self, reply: ServerReply) -> bytes:
        self.mail_answered = True
        self.step = Step.RCPT
        if reply.is_positive:
            self.mail_taken_up = True
            return self._next_command()
        self._decide_rest(Stage.MAIL, reply, finish=not self._pipelining)
        if isinstance(self._results[0], Refused):
            self.sender_refusal = reply.summary()
        return b""

    def _on_rcpt(self, reply: ServerReply) -> bytes:
        position = self._answered
        self._answered += 1
        if self._results[position] is None:  # else MAIL was refused, and this is only its echo
            self._note_recipient(position, reply)
        if self._answered == len(self._results):
            return self._after_recipients()
        return self._next_command()

    def _note_recipient(self, position: int, reply: ServerReply) -> None:
        if reply.is_positive:
            self._accepted += 1
        elif reply.is_negative:
            another_accepted = self._accepted > 0
            outcome = classify(Stage.RCPT, reply.summary(), another_accepted=another_accepted)
            self._results[position] = outcome
        else:
            raise ProtocolError(f"the relay answered RCPT out of place: {reply.summary()}")

    def _after_recipients(self) -> bytes:
        if self._accepted or self._pipelining:
            self.step = Step.DATA
            return self._next_command()
        self.needs_reset = True
        self.finished = True
        return b""

    def _on_data(self, reply: ServerReply) -> bytes:
        if reply.is_intermediate and self._accepted:
            self.step = Step.CONTENT
        elif reply.is_intermediate:
            # RFC 2920 section 3.1: DATA may succeed without a recipient; a lone dot ends it.
            self.step = Step.LONE_DOT
            return END
        else:
            self.needs_reset = True
            self._decide_rest(Stage.DATA, reply)
        return b""

    def _on_early_answer(self, reply: ServerReply) -> bytes:
        # Refused in the middle of the content (too large, say): the server reads the rest as commands.
        self.intact = False
        return self._decide_rest(Stage.DOT, reply)

    def _on_dot(self, reply: ServerReply) -> bytes:
        if not reply.is_positive:
            return self._decide_rest(Stage.DOT, reply)
        self._settle(classify(Stage.DOT, reply.summary()))
        return b""

    def _on_lone_dot(self, _: ServerReply) -> bytes:
        self.finished = True
        return b""

    def _decide_rest(self, stage: Stage, reply: ServerReply, *, finish: bool = True) -> bytes:
        """Give the meaning of a negative reply to every recipient that has no outcome yet."""
        if not reply.is_negative:
            raise ProtocolError(f"the relay answered {stage.name} out of place: {reply.summary()}")
        self._settle(classify(stage, reply.summary()), finish=finish)
        return b""

    def _settle(self, outcome: Outcome, *, finish: bool = True) -> None:
        self._results = [outcome if result is None else result for result in self._results]
        if finish:
            self.finished = True

    def _stage(self) -> Stage:
        stages = {Step.RCPT: Stage.RCPT, Step.DATA: Stage.DATA, Step.RSET: Stage.MAIL, Step.MAIL: Stage.MAIL}
        return stages.get(self.step, Stage.DOT)

    def _next_command(self) -> bytes:
        if self._pipelining:
            return b""
        self._said += 1
        return self._commands[self._said - 1]

    _ACTIONS: ClassVar[Mapping[Step, Callable[["Transaction", ServerReply], bytes]]] = {
        Step.RSET: _on_rset,
        Step.MAIL: _on_mail,
        Step.RCPT: _on_rcpt,
        Step.DATA: _on_data,
        Step.CONTENT: _on_early_answer,
        Step.DOT: _on_dot,
        Step.LONE_DOT: _on_lone_dot,
    }


def _commands(mail: OutgoingMail, capabilities: Capabilities, *, reset_first: bool) -> list[bytes]:
    size = f" SIZE={len(mail.data)}" if capabilities.size else ""  # RFC 1870 section 6
    commands = [b"RSET\r\n"] if reset_first else []
    commands.append(f"MAIL FROM:<{mail.sender}>{size}\r\n".encode())
    commands += [f"RCPT TO:<{recipient}>\r\n".encode() for recipient in mail.recipients]
    commands.append(b"DATA\r\n")
    return commands
