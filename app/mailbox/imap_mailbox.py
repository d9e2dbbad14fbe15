"""One folder over IMAP: what is asked of the server, blocking, from the thread of its session."""

import imaplib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from imapclient import DELETED, IMAPClient
from imapclient.response_parser import parse_fetch_response

from app.domain.errors import ProtocolError
from app.domain.mailbox_server import INBOX
from app.domain.mailbox_session import FetchedMail, MailboxEntry, Trouble
from app.mailbox.imap_faults import ImapFaults, is_refusal
from app.mailbox.imap_link import MAX_ANSWER, PIECE, ImapLink
from app.mailbox.refusals import RefusedMail, refused_mail
from app.mailbox.timeouts import MailboxTimeouts

MAX_CHANGED = 500  # of whose flags a server may tell amid a list
LISTED_AT_ONCE = 500  # mails; 30 KB of answer
NAMED_AT_ONCE = 100  # uids in one command: RFC 2683 section 3.2.1.5 asks for lines of 1,000 bytes at most
MAX_MAILS = 1_000_000  # in a folder; each takes 200 bytes here
MAX_UID = 2**32 - 1  # RFC 9051 section 2.3.1.1


class ImapMailbox:
    """The folder that is read, with the client that has logged in. Raises LIBRARY_ERRORS.

    `select` comes first. `epoch` is UIDVALIDITY.
    """

    def __init__(
        self, client: IMAPClient, link: ImapLink, *, folder: str, timeouts: MailboxTimeouts, faults: ImapFaults
    ) -> None:
        self.epoch = ""
        self.link = link
        self.goodbye_s = timeouts.goodbye_s
        self._client = client
        self._folder = folder
        self._timeouts = timeouts
        self._faults = faults
        self._begin_command()
        self.can_idle = bool(client.has_capability("IDLE"))
        self._has_uidplus = bool(client.has_capability("UIDPLUS"))
        self._has_move = bool(client.has_capability("MOVE"))

    def select(self) -> int:
        """Open the folder, anew if it is open: how many mails it has. Raises a MailboxFault if that cannot be."""
        self._begin_command()
        try:
            answer = self._select()
        except imaplib.IMAP4.error as error:
            raise self._faults.of(error, **self._unopened()) from error
        epoch, count = answer.get(b"UIDVALIDITY"), answer.get(b"EXISTS")
        if not isinstance(epoch, int) or not isinstance(count, int):
            raise ProtocolError("the server does not say what its numbers of mails hold for (UIDVALIDITY)")
        if count > MAX_MAILS:
            reason = f"there are {count} mails in it, and {MAX_MAILS} can be read; clear it out"
            raise self._faults.fault(reason, Trouble.CONFIGURATION)
        if self.epoch not in {"", str(epoch)}:
            # Whoever uses the session has noted the old one, and would take new mails for old ones.
            raise self._faults.fault("the folder was made anew; its mails have other numbers now", Trouble.BUSY)
        self.epoch = str(epoch)
        self.link.take_news()
        return count

    def entries(self) -> list[MailboxEntry]:
        """Return all mails in the server's order, but those that are marked as deleted."""
        # SELECT is asked again for its count. By numbers of sequence, which no server may change amid FETCH
        # (RFC 9051 section 7.5.1): a list of all uids would be one line without a bound.
        count = self.select()
        found: list[MailboxEntry] = []
        for first in range(1, count + 1, LISTED_AT_ONCE):
            self._begin_mail(MAX_ANSWER)
            last = min(first + LISTED_AT_ONCE - 1, count)
            found += self._listed(f"{first}:{last}")
        return found

    def sizes(self, uids: Sequence[str]) -> dict[str, int]:
        """Return the size in bytes of each mail that is there; at most NAMED_AT_ONCE of them."""
        self._begin_command()
        mails = self._client.fetch(_numbers(uids), ["RFC822.SIZE"])
        return {str(uid): size for uid, mail in mails.items() if (size := _size(mail)) is not None}

    def head(self, uid: str) -> bytes:
        """Return the header, as far as one piece of it goes."""
        found = self._fetch([uid], "[HEADER]", 0)
        return found[uid].data if uid in found else b""

    def pieces(self, uids: Sequence[str], start: int) -> dict[str, FetchedMail]:
        """Return of each mail that is there the PIECE that begins at `start`, or why the server refuses it."""
        try:
            return self._fetch(uids, "[]", start)
        except imaplib.IMAP4.error as error:
            if not is_refusal(error):
                raise
            if len(uids) == 1:
                return {uid: self._refused(uid, error) for uid in uids}
        # One of them is damaged, and the answer does not say which.
        return {uid: mail for one in uids for uid, mail in self.pieces([one], start).items()}

    def delete(self, uids: Sequence[str]) -> None:
        """Delete these mails, and no others: without UIDPLUS only while nobody else has mails marked as deleted.

        EXPUNGE takes every marked mail, and another program may still want to take its own marks back. Then ours
        stay marked, are listed no more, and go with the next EXPUNGE of anybody.
        """
        for numbers in _portions(_numbers(uids)):
            self._begin_command()
            self._client.add_flags(numbers, [DELETED], silent=True)
            if self._has_uidplus:
                self._client.uid_expunge(numbers)  # RFC 4315 section 2.1
        if not self._has_uidplus:
            self._begin_command()
            if set(self._client.search("DELETED")) <= set(_numbers(uids)):
                self._client.expunge()

    def move(self, uids: Sequence[str], folder: str) -> None:
        """Move these mails; the folder is made when the server refuses for want of it."""
        for numbers in _portions(_numbers(uids)):
            try:
                self._move(numbers, folder)
            except imaplib.IMAP4.error as error:
                if not is_refusal(error):
                    raise
                self._make(folder)
                self._move(numbers, folder)

    def begin_idle(self) -> bool:
        """Have the server tell of new mail; return whether something lies here already."""
        self._begin_command()
        return self.link.begin_idle()

    def news(self) -> bool:
        """Return whether the server has told of new mail: ends IDLE, or asks by NOOP."""
        was_idle = self.link.is_idle
        self._begin_command()
        if not was_idle:
            self.link.noop()
        return self.link.take_news()

    def log_out(self) -> None:
        """Take leave. Nothing depends on it: what was deleted is gone."""
        self._begin_command(wait_s=self.goodbye_s)
        self._client.logout()

    def _select(self) -> dict[bytes, Any]:
        try:
            answer: dict[bytes, Any] = self._client.select_folder(self._folder)
        except imaplib.IMAP4.readonly:  # a shared folder; it can be read all the same
            answer = self._client.select_folder(self._folder, readonly=True)
        return answer

    def _listed(self, numbers: str) -> list[MailboxEntry]:
        answer: tuple[str, list[Any]] = self.link.fetch(numbers, "(UID RFC822.SIZE FLAGS)")
        if answer[0] != "OK":
            raise imaplib.IMAP4.error(answer[1][-1])
        mails: list[tuple[int, dict[bytes, Any]]] = sorted(
            parse_fetch_response(answer[1]).items(), key=lambda mail: mail[1][b"SEQ"]
        )
        if len(mails) > LISTED_AT_ONCE + MAX_CHANGED:
            raise ProtocolError("the server lists far more mails than it was asked for")
        there = [(uid, _size(mail)) for uid, mail in mails if not _is_marked(mail)]
        return [MailboxEntry(str(uid), size) for uid, size in there if size is not None]

    def _unopened(self) -> dict[str, Any]:
        if self._folder == INBOX:  # every account has one
            return {"otherwise": Trouble.BUSY}
        return {
            "otherwise": Trouble.CONFIGURATION,
            "remedy": f'is there a folder "{self._folder}"? correct mailbox.folder, or make it',
        }

    def _fetch(self, uids: Sequence[str], section: str, start: int) -> dict[str, FetchedMail]:
        numbers = _numbers(uids)
        self._begin_mail(MAX_ANSWER + len(numbers) * PIECE)
        # PEEK: reading must not mark a mail as read (RFC 9051 section 6.4.5).
        mails = self._client.fetch(numbers, [f"BODY.PEEK{section}<{start}.{PIECE}>"])
        name = f"BODY{section}<{start}>".encode()
        return {str(uid): FetchedMail(str(uid), _octets(mail[name])) for uid, mail in mails.items() if name in mail}

    def _refused(self, uid: str, error: BaseException) -> RefusedMail:
        trouble = self._faults.of(error, otherwise=Trouble.PROTOCOL).trouble
        return refused_mail(uid, self._faults.said(error), is_for_now=trouble in {Trouble.BUSY, Trouble.IN_USE})

    def _move(self, numbers: Sequence[int], folder: str) -> None:
        self._begin_command()
        if self._has_move:
            self._client.move(numbers, folder)  # RFC 6851
        else:
            self._client.copy(numbers, folder)
            self.delete([str(number) for number in numbers])

    def _make(self, folder: str) -> None:
        self._begin_command()
        try:
            self._client.create_folder(folder)
            self._client.subscribe_folder(folder)  # many mail programs hide others
        except imaplib.IMAP4.error as error:
            if not is_refusal(error):
                raise  # otherwise it is there, or the second try will say why not

    def _begin_command(self, *, wait_s: float | None = None) -> None:
        self._ready(wait_s or self._timeouts.command_s)
        self.link.allow(wait_s=wait_s or self._timeouts.command_s)

    def _begin_mail(self, max_bytes: int) -> None:
        self._ready(self._timeouts.command_s)
        self.link.allow(wait_s=self._timeouts.piece_s, total_s=self._timeouts.mail_s, max_bytes=max_bytes)

    def _ready(self, wait_s: float) -> None:
        if self.link.is_idle:  # whoever waited was cancelled
            self.link.allow(wait_s=wait_s)
            self.link.end_idle()
        self.link.forget_untagged()


def _numbers(uids: Sequence[str]) -> list[int]:
    """Return those that can be uids; of others there is no mail."""
    return [int(uid) for uid in uids if uid.isascii() and uid.isdigit() and 0 < int(uid[:11]) <= MAX_UID]


def _portions(numbers: Sequence[int]) -> Iterator[list[int]]:
    rest = iter(numbers)
    while some := list(islice(rest, NAMED_AT_ONCE)):
        yield some


def _size(mail: dict[bytes, Any]) -> int | None:
    size = mail.get(b"RFC822.SIZE")  # not there where the server only tells of changed flags
    return size if isinstance(size, int) else None


def _is_marked(mail: dict[bytes, Any]) -> bool:
    flags = mail.get(b"FLAGS")
    return isinstance(flags, tuple) and DELETED in flags


def _octets(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if value is None:  # NIL: there is no such part
        return b""
    raise ProtocolError("the server sends something else where a mail was asked for")
