"""One mail over a ready session: MAIL, RCPT, DATA and the final dot, as a state machine without I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import ClassVar

from app.domain.classify import CLOSING, Stage, classify
from app.domain.errors import AddressError, ProtocolError
from app.domain.outcome import Deferred, Outcome, Refused, Reply, Scope
from app.protocols.smtp.capabilities import Capabilities
from app.protocols.smtp.dotstuff import END
from app.protocols.smtp.reply import ServerReply

BAD_SEQUENCE = 503  # RFC 5321 section 4.2.3
NEEDS_SMTPUTF8 = "the address needs SMTPUTF8 (RFC 6531), which the relay does not offer"


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail as it is handed over: `data` is the whole message, lines ended by CRLF, dots not doubled.

    `envelope_id` comes back in bounces (the ENVID of RFC 3461). Raises AddressError for an address that
    would break out of its command; "" is the null sender.
    """

    sender: str
    recipients: tuple[str, ...]
    data: bytes = field(repr=False)
    envelope_id: str = ""

    def __post_init__(self) -> None:
        path = "".join((self.sender, *self.recipients))
        if not self.recipients or not all(self.recipients):
            raise AddressError("a mail needs recipients, none of them empty")
        if not path.isprintable() or " " in path or "<" in path or ">" in path:
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
    `reset_first` clears what an earlier transaction has left on the session. A recipient whose address the
    server cannot take is refused without asking; a mail without any other is finished at once.
    """

    def __init__(self, mail: OutgoingMail, capabilities: Capabilities, *, reset_first: bool = False) -> None:
        self.step = Step.RSET if reset_first else Step.MAIL
        self.needs_reset = False  # the server still holds this transaction
        self.intact = True  # both sides agree on where the dialogue stands
        self.past_final_dot = False
        self.mail_answered = False  # by anything but 421: from here on the attempt counts
        self.mail_taken_up = False  # MAIL was accepted: what fails from here on may be this mail's fault
        self.lost_in_commands = False  # after MAIL was accepted and before the content: was pipelining too much?
        self.sender_refusal: Reply | None = None  # the permanent refusal of MAIL
        self._pipelining = capabilities.pipelining
        self._results: list[Outcome | None] = [_refused_here(mail, r, capabilities) for r in mail.recipients]
        self._asked = [position for position, result in enumerate(self._results) if result is None]
        self._commands = _commands(mail, self._asked, capabilities, reset_first=reset_first)
        self._said = 0
        self._wants_login: dict[int, Reply] = {}  # what the server said to recipients as if nobody had logged in
        self._answered = 0  # recipients so far
        self._accepted = 0
        self.finished = not self._asked  # nothing more is to be sent or awaited

    @property
    def is_crowded(self) -> bool:
        """Whether the server had too many recipients, so that this mail needs another transaction."""
        return any(isinstance(result, Deferred) and result.too_many_recipients for result in self._results)

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
        if reply.code == BAD_SEQUENCE and self._pipelining and self._out_of_step():
            raise ProtocolError(f"the relay announced PIPELINING and lost its place: {reply.summary()}")
        return self._ACTIONS[self.step](self, reply)

    def final_dot_sent(self) -> None:
        """Note that the last byte of the content went out: from here on a loss is ambiguous."""
        self.past_final_dot = True
        self.step = Step.DOT

    def _out_of_step(self) -> bool:
        """Tell whether a bad sequence of commands can only be the server's own.

        RCPT behind a refused MAIL, and DATA without a recipient, are ours.
        """
        if self.step is Step.RCPT:
            return self.mail_taken_up
        return self.step is Step.MAIL or (self.step is Step.DATA and self._accepted > 0)

    def lost(self, reason: str, *, confused: bool = False) -> None:
        """End it without a reply: the connection broke, timed out, or made no sense any more.

        `confused`: the replies to commands may have been those to others, so none of them counts.
        """
        self.intact = False
        self.lost_in_commands = self.step in {Step.RCPT, Step.DATA}
        if self.past_final_dot:
            # RFC 1047: the relay may have taken the mail, and only its answer was lost.
            self._settle(Deferred(Scope.MESSAGE, f"{reason}; it may have taken the mail", ambiguous=True))
        else:
            if confused:
                for position in self._asked:
                    self._results[position] = None
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
        if isinstance(self._results[self._asked[0]], Refused):
            self.sender_refusal = reply.summary()
        return b""

    def _on_rcpt(self, reply: ServerReply) -> bytes:
        position = self._asked[self._answered]
        self._answered += 1
        if self._results[position] is None:  # else MAIL was refused, and this is only its echo
            self._note_recipient(position, reply)
        if self._answered == len(self._asked):
            return self._after_recipients()
        return self._next_command()

    def _note_recipient(self, position: int, reply: ServerReply) -> None:
        if reply.is_positive:
            self._accepted += 1
        elif reply.is_negative:
            another_accepted = self._accepted > 0
            outcome = classify(Stage.RCPT, reply.summary(), another_accepted=another_accepted)
            self._results[position] = outcome
            if isinstance(outcome, Deferred) and outcome.scope is Scope.CONFIGURATION:
                self._wants_login[position] = reply.summary()
        else:
            raise ProtocolError(f"the relay answered RCPT out of place: {reply.summary()}")

    def _after_recipients(self) -> bytes:
        if self._accepted:  # one was accepted, be it behind them: so those recipients are the trouble
            for position, reply in self._wants_login.items():
                self._results[position] = classify(Stage.RCPT, reply, another_accepted=True)
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


def _refused_here(mail: OutgoingMail, recipient: str, capabilities: Capabilities) -> Outcome | None:
    # RFC 6531 section 3.2: without SMTPUTF8 such an address must not be sent.
    if capabilities.smtputf8 or (recipient.isascii() and mail.sender.isascii()):
        return None
    return Refused(Scope.RECIPIENT, NEEDS_SMTPUTF8)


def _commands(
    mail: OutgoingMail, asked: Sequence[int], capabilities: Capabilities, *, reset_first: bool
) -> list[bytes]:
    recipients = [mail.recipients[position] for position in asked]
    commands = [b"RSET\r\n"] if reset_first else []
    commands.append(f"MAIL FROM:<{mail.sender}>{_mail_parameters(mail, recipients, capabilities)}\r\n".encode())
    notify = _notify_parameters if capabilities.dsn else _no_parameters
    commands += [f"RCPT TO:<{recipient}>{notify(recipient)}\r\n".encode() for recipient in recipients]
    commands.append(b"DATA\r\n")
    return commands


def _mail_parameters(mail: OutgoingMail, recipients: Sequence[str], capabilities: Capabilities) -> str:
    parameters = f" SIZE={len(mail.data)}" if capabilities.size else ""  # RFC 1870 section 6
    if not all(map(str.isascii, (mail.sender, *recipients))):
        parameters += " SMTPUTF8"  # RFC 6531 section 3.4: only where an address needs it
    if capabilities.dsn:
        parameters += " RET=HDRS"  # RFC 3461 section 4.3: our own alert need not come back whole
        if mail.envelope_id:
            parameters += f" ENVID={_xtext(mail.envelope_id)}"  # RFC 3461 section 4.4
    return parameters


def _notify_parameters(recipient: str) -> str:
    # RFC 3461 section 4.1: we want to know what fails or is late, not what arrives. ORCPT (section 4.2) brings the
    # address back as we know it, through every alias.
    original = f" ORCPT=rfc822;{_xtext(recipient)}" if recipient.isascii() else ""
    return f" NOTIFY=FAILURE,DELAY{original}"


def _no_parameters(_recipient: str) -> str:
    return ""


def _xtext(text: str) -> str:
    """Return ASCII `text` as RFC 3461 section 4 quotes it."""
    return "".join(char if "!" <= char <= "~" and char not in "+=" else f"+{ord(char):02X}" for char in text)
