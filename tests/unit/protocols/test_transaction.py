"""What the transcripts do not show of a transaction: losses, resets, and servers that make no sense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import AddressError, ProtocolError
from app.domain.outcome import Deferred, Refused, Reply, Scope, Sent
from app.protocols.smtp.capabilities import Capabilities
from app.protocols.smtp.reply import ReplyReader, ServerReply
from app.protocols.smtp.transaction import NEEDS_SMTPUTF8, OutgoingMail, Step, Transaction

MAIL = OutgoingMail("ops@example.org", ("a@example.org", "b@example.org"), b"hi\r\n")
PIPELINING = Capabilities(pipelining=True)


def _transaction(*codes: int, capabilities: Capabilities = PIPELINING, reset_first: bool = False) -> Transaction:
    transaction = Transaction(MAIL, capabilities, reset_first=reset_first)
    transaction.start()
    for code in codes:
        transaction.receive(ServerReply(code, ("text",)))
    return transaction


def test_loss_before_the_final_dot() -> None:
    """A connection lost before the final dot charges nothing to the mail, and keeps who was refused."""
    transaction = _transaction(250, 550)
    transaction.lost("gone")
    refused, deferred = transaction.outcomes()
    assert isinstance(refused, Refused)
    assert deferred == Deferred(Scope.RELAY, "gone")


def test_replies_that_made_no_sense_count_for_nobody() -> None:
    """Who was refused may have been refused with the reply to another, so nobody is charged or refused."""
    transaction = _transaction(250, 550, 250)
    transaction.lost("gone", confused=True)
    assert transaction.outcomes() == (Deferred(Scope.RELAY, "gone"),) * 2


def test_what_was_not_asked_is_known_however_confused_the_server_is() -> None:
    """An address that it cannot take stays refused."""
    transaction = Transaction(UMLAUT, PIPELINING)
    transaction.start()
    transaction.lost("gone", confused=True)
    assert transaction.outcomes() == (Refused(Scope.RECIPIENT, NEEDS_SMTPUTF8), Deferred(Scope.RELAY, "gone"))


def test_behind_the_final_dot_confusion_is_ambiguous() -> None:
    """Replies to commands were in their place when the content was asked for."""
    transaction = _transaction(250, 550, 250, 354)
    transaction.final_dot_sent()
    transaction.lost("nonsense", confused=True)
    refused, ambiguous = transaction.outcomes()
    assert isinstance(refused, Refused)
    assert isinstance(ambiguous, Deferred)
    assert ambiguous.ambiguous


@pytest.mark.parametrize("code", [530, 534, 535, 538])
@pytest.mark.parametrize("wanted_for", [0, 1], ids=["before", "behind"])
@pytest.mark.parametrize("capabilities", [PIPELINING, Capabilities()], ids=["pipelined", "stop-and-wait"])
def test_a_login_wanted_for_one_recipient_is_his_matter(capabilities: Capabilities, wanted_for: int, code: int) -> None:
    """Beside one that was accepted, before or behind him: then it is not the settings."""
    codes = [250, 250]
    codes[wanted_for] = code
    transaction = _transaction(250, *codes, 354, capabilities=capabilities)
    transaction.final_dot_sent()
    transaction.receive(ServerReply(250, ("taken",)))
    outcomes = transaction.outcomes()
    assert isinstance(outcomes[1 - wanted_for], Sent)
    refused = outcomes[wanted_for]
    assert isinstance(refused, Refused)
    assert (refused.scope, refused.reply) == (Scope.RECIPIENT, Reply(code, "text"))


def test_a_login_wanted_for_all_recipients_is_about_the_settings() -> None:
    """Nobody is refused for a relay that wants a password first."""
    transaction = _transaction(250, 530, 530, 554)
    assert {outcome.scope for outcome in transaction.outcomes() if isinstance(outcome, Deferred)} == {
        Scope.CONFIGURATION
    }
    assert len(transaction.outcomes()) == 2


def test_loss_after_the_final_dot() -> None:
    """A connection lost after the final dot is ambiguous for those who were accepted."""
    transaction = _transaction(250, 550, 250, 354)
    transaction.final_dot_sent()
    transaction.lost("gone")
    refused, deferred = transaction.outcomes()
    assert isinstance(refused, Refused)
    assert isinstance(deferred, Deferred)
    assert deferred.ambiguous
    assert deferred.scope is Scope.MESSAGE


def test_refused_at_the_dot_is_not_ambiguous() -> None:
    """A reply to the final dot is certain, 421 too."""
    transaction = _transaction(250, 250, 250, 354)
    transaction.final_dot_sent()
    transaction.receive(ServerReply(421, ("bye",)))
    assert {outcome.ambiguous for outcome in transaction.outcomes() if isinstance(outcome, Deferred)} == {False}
    assert not transaction.intact


def test_answer_in_the_middle_of_the_content() -> None:
    """A relay that refuses before the final dot has decided, and its session is over."""
    transaction = _transaction(250, 250, 250, 354, 552)
    assert all(isinstance(outcome, Refused) for outcome in transaction.outcomes())
    assert not transaction.intact


def test_too_early_250_is_not_sent() -> None:
    """A 250 before the final dot does not count as the mail being taken."""
    transaction = _transaction(250, 250, 250, 354)
    with pytest.raises(ProtocolError):
        transaction.receive(ServerReply(250, ("ok",)))
    transaction.lost("nonsense")
    assert not any(isinstance(outcome, Sent) for outcome in transaction.outcomes())


def test_a_refused_sender_is_told() -> None:
    """Whether the relay refuses every sender can be seen from mail to mail; a deferral is no refusal."""
    refused, deferred = _transaction(550, 503, 503, 503), _transaction(450, 503, 503, 503)
    assert refused.sender_refusal == Reply(550, "text")
    assert deferred.sender_refusal is None
    assert not refused.mail_taken_up


@pytest.mark.parametrize(
    ("codes", "needs_reset"),
    [((250, 250, 250, 451), True), ((250, 550, 550, 554), True), ((550, 503, 503, 503), True)],
    ids=["data-refused", "nobody-accepted", "sender-refused"],
)
def test_failure_needs_a_reset(codes: tuple[int, ...], needs_reset: bool) -> None:
    """After a failure the session is still good, once it is reset."""
    transaction = _transaction(*codes)
    assert transaction.finished
    assert transaction.intact
    assert transaction.needs_reset is needs_reset


def test_reset_goes_first() -> None:
    """RSET is pipelined before the next MAIL, and its reply is not taken for that to MAIL."""
    transaction = Transaction(MAIL, PIPELINING, reset_first=True)
    assert transaction.start().startswith(b"RSET\r\nMAIL FROM:<ops@example.org>\r\n")
    transaction.receive(ServerReply(250, ("reset",)))
    assert transaction.step is Step.MAIL
    assert not transaction.mail_answered


def test_nobody_accepted_without_pipelining() -> None:
    """Without PIPELINING no DATA is said when every recipient was refused."""
    transaction = _transaction(250, 550, 450, capabilities=Capabilities())
    assert transaction.finished
    assert [type(outcome) for outcome in transaction.outcomes()] == [Refused, Deferred]


@pytest.mark.parametrize(
    "codes",
    [(354,), (250, 354), (250, 250, 250, 250), (250, 250, 250, 354, 354)],
    ids=["mail", "rcpt", "data", "content"],
)
def test_reply_out_of_place(codes: tuple[int, ...]) -> None:
    """A reply of a kind that cannot answer the command raises ProtocolError."""
    with pytest.raises(ProtocolError):
        _transaction(*codes)


@pytest.mark.parametrize(
    "address",
    ["a@x>\r\nRCPT TO:<b@y", "a b@x", "a\x00@x", "a\u2028@x", "a\x85@x", "a@x> SIZE=1", ""],
    ids=["crlf", "space", "nul", "line separator", "next line", "bracket", "empty"],
)
def test_address_cannot_break_out(address: str) -> None:
    """No address can add a command or a parameter."""
    with pytest.raises(AddressError):
        OutgoingMail("ops@example.org", (address,), b"")


# What the server cannot take


UMLAUT = OutgoingMail("ops@example.org", ("jörg@example.org", "a@example.org"), b"hi\r\n")


def test_an_address_that_needs_smtputf8_is_refused_without_asking() -> None:
    """The server never hears of it, and the outcomes stay in the order of the mail."""
    transaction = Transaction(UMLAUT, PIPELINING)
    assert "jörg".encode() not in transaction.start()
    for code in (250, 250, 354):
        transaction.receive(ServerReply(code, ("text",)))
    transaction.final_dot_sent()
    transaction.receive(ServerReply(250, ("taken",)))
    refused, sent = transaction.outcomes()
    assert refused == Refused(Scope.RECIPIENT, NEEDS_SMTPUTF8)
    assert isinstance(sent, Sent)


@pytest.mark.parametrize(
    "mail",
    [OutgoingMail("jörg@example.org", ("a@example.org",), b""), OutgoingMail("", ("jörg@example.org",), b"")],
    ids=["sender", "every recipient"],
)
def test_a_mail_without_an_address_for_the_server_is_finished_at_once(mail: OutgoingMail) -> None:
    """There is nothing to say to it."""
    transaction = Transaction(mail, PIPELINING)
    assert transaction.finished
    assert transaction.outcomes() == (Refused(Scope.RECIPIENT, NEEDS_SMTPUTF8),)


@pytest.mark.parametrize(
    ("codes", "is_crowded"),
    [((250, 250, 452), True), ((250, 452, 452), False), ((250, 250, 450), False), ((250, 250, 550), False)],
    ids=["too many", "none taken", "greylisted", "refused"],
)
def test_crowded(codes: tuple[int, ...], is_crowded: bool) -> None:
    """Only a server that took some says of others that they are too many."""
    assert _transaction(*codes).is_crowded is is_crowded


# Servers that do not bear PIPELINING


@pytest.mark.parametrize(
    "codes", [(503,), (250, 503), (250, 250, 503), (250, 250, 250, 503)], ids=["mail", "rcpt", "second", "data"]
)
def test_a_bad_sequence_that_is_not_ours_is_a_lost_place(codes: tuple[int, ...]) -> None:
    """The mail is not refused for a server that threw away what came before."""
    with pytest.raises(ProtocolError, match="PIPELINING"):
        _transaction(*codes)


def test_a_bad_sequence_without_pipelining_is_an_answer() -> None:
    """One command at a time cannot be lost."""
    transaction = _transaction(250, 503, 250, capabilities=Capabilities())
    assert transaction.step is Step.DATA


@pytest.mark.parametrize(
    ("codes", "lost_in_commands"),
    [((), False), ((250,), True), ((250, 250, 250), True), ((250, 250, 250, 354), False)],
    ids=["at mail", "at rcpt", "at data", "at the content"],
)
def test_a_loss_among_the_commands_is_told(codes: tuple[int, ...], lost_in_commands: bool) -> None:
    """Between MAIL and the content a server that bears no pipelining falls silent."""
    transaction = _transaction(*codes)
    transaction.lost("gone")
    assert transaction.lost_in_commands is lost_in_commands


@given(
    st.booleans(),
    st.lists(
        st.sampled_from([b"250 ok\r\n", b"250-a\r\n", b"354 go\r\n", b"421 bye\r\n", b"450 no\r\n", b"552 no\r\n"])
        | st.binary(max_size=30),
        max_size=20,
    ),
)
def test_no_server_breaks_the_transaction(pipelining: bool, pieces: list[bytes]) -> None:
    """Whatever a server says, each recipient has an outcome in the end, and none is sent without a final dot."""
    transaction = Transaction(MAIL, Capabilities(pipelining=pipelining))
    replies = ReplyReader()
    try:
        for piece in pieces:
            replies.feed(piece)
            while not transaction.finished and (reply := replies.next_reply()) is not None:
                transaction.receive(reply)
    except ProtocolError:
        assert not transaction.finished
    if not transaction.finished:
        transaction.lost("gone")
    outcomes = transaction.outcomes()
    assert len(outcomes) == 2
    assert not any(isinstance(outcome, Sent) for outcome in outcomes)
