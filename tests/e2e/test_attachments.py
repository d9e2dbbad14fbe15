"""Attachments from a post to the mail: what curl sends arrives, and many large posts at once cost bounded memory."""

import base64
import gzip
import hashlib
import json
import random
import select
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from pathlib import Path

import pytest

from tests.support.background_relay import background_relay, parsed
from tests.support.daemon import Daemon, mail_settings
from tests.support.multipart_body import BOUNDARY, CONTENT_TYPE, body_of, part
from tests.support.requirements import require
from tests.support.scripted_smtp import ScriptedSmtp

MIB = 1 << 20
HANG = 60  # seconds; one of these posts takes less than one
POSTS = 50
PIECE = 3 * 16 * 1024  # bytes; base64 of each needs no padding
PIECES = 10 * MIB // PIECE  # of a file: just under the limit
MOST_MEMORY = 500 * MIB  # 64 MiB of bodies, one being parsed, a commit, four mails on their way; half of it is usual


@pytest.fixture(scope="module")
def relay() -> Iterator[ScriptedSmtp]:
    """A relay that takes large mails."""
    with background_relay(capabilities=("PIPELINING", f"SIZE {50 * MIB}", "ENHANCEDSTATUSCODES")) as running:
        yield running


@pytest.fixture(scope="module")
def daemon(relay: ScriptedSmtp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for all these tests."""
    data_dir = tmp_path_factory.mktemp("daemon") / "var"
    with Daemon(data_dir, **mail_settings(relay.port)) as running:
        yield running.start()
        assert running.stop() == 0
        assert running.events("request_failed") == []


def arrived(daemon: Daemon, relay: ScriptedSmtp, subject: str) -> list[tuple[str | None, str, bytes]]:
    """Return name, type and content of each attachment of the one mail with this subject, once all is sent."""
    daemon.wait_until_idle(timeout=HANG)
    (mail,) = [mail for mail in map(parsed, relay.mails) if mail["Subject"].endswith(f"] {subject}")]
    return [
        (file.get_filename(), file.get_content_type(), file.get_payload(decode=True))
        for file in mail.iter_attachments()
    ]


def test_curl_attaches_a_file(daemon: Daemon, relay: ScriptedSmtp, tmp_path: Path) -> None:
    """`curl -F subject=Hi -F file=@log.gz` is all that it takes."""
    log = tmp_path / "log.gz"
    log.write_bytes(gzip.compress(b"a line of the log\n" * 1000))
    command = [require("curl"), "--silent", "--show-error", "--fail", "-F", "subject=by curl", "-F", f"file=@{log}"]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{daemon.port}/alerts"], capture_output=True, check=True, timeout=HANG
    )

    assert json.loads(done.stdout)["status"] == "accepted"
    assert arrived(daemon, relay, "by curl") == [("log.gz", "application/octet-stream", log.read_bytes())]


def test_names_in_every_script_arrive(daemon: Daemon, relay: ScriptedSmtp) -> None:
    """JSON's attachments keep order, names and types."""
    files = [("Größe 磁.txt", "text/plain", b"\r\n.\r\n\0\xff"), ('"quoted; name".bin', "application/x-y", b"")]
    attachments = [
        {"name": name, "content_type": content_type, "content": base64.b64encode(data).decode()}
        for name, content_type, data in files
    ]

    assert daemon.post({"subject": "by JSON", "attachments": attachments}).status == 202
    assert arrived(daemon, relay, "by JSON") == files


def test_no_file_name_injects_a_header(daemon: Daemon, relay: ScriptedSmtp) -> None:
    """Line ends in a name or a type stay out of the mail's header."""
    evil = "a%0D%0ABcc: e@evil\u2028Bcc: e@evil"
    file = part(f'name="file"; filename="{evil}"', b"x", "Content-Type: text/plain\nBcc: e@evil")
    body = body_of([part("name=subject", b"evil file"), file])

    assert daemon.request("POST", "/alerts", body, {"Content-Type": CONTENT_TYPE}).status == 202
    ((name, content_type, data),) = arrived(daemon, relay, "evil file")
    assert (name, content_type, data) == ("a Bcc: e@evil Bcc: e@evil", "application/octet-stream", b"x")
    (mail,) = [mail for mail in map(parsed, relay.mails) if mail["Subject"].endswith("evil file")]
    assert all("bcc" not in field.lower() for part_ in mail.walk() for field in part_)


def test_attachments_over_their_limit_are_413(daemon: Daemon) -> None:
    """The answer says which limit, and what to raise."""
    answer = daemon.post({"subject": "x", "attachments": [{"content": "A" * (14 * MIB)}]})
    assert answer.status == 413
    assert "http.attachments_limit" in answer.json["detail"]


class LargePost:
    """A post of nearly 10 MiB, made and sent by pieces, so that fifty of them fit into the test's own memory."""

    def __init__(self, number: int) -> None:
        self.subject = f"large {number}"
        self.is_json = number % 2 == 0
        self._noise = random.Random(number).randbytes(PIECE)

    def content(self) -> Iterator[bytes]:
        """Return the file, no piece of which is like another."""
        for number in range(PIECES):
            yield number.to_bytes(8, "big") + self._noise[8:]

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        digest = hashlib.sha256()
        for piece in self.content():
            digest.update(piece)
        return digest.hexdigest()

    def _body(self) -> tuple[bytes, Iterator[bytes], bytes]:
        if self.is_json:
            pieces = (base64.b64encode(piece) for piece in self.content())
            head = f'{{"subject": "{self.subject}", "attachments": [{{"name": "a.bin", "content": "'
            return head.encode(), pieces, b'"}]}'
        head_parts = part('name="subject"', self.subject.encode()) + part('name="f"; filename="a.bin"', b"")[:-2]
        return head_parts, self.content(), b"\r\n--" + BOUNDARY + b"--\r\n"

    def send(self, port: int) -> int:
        """Send it, and return the status; a refusal is heard before all is sent, as by clients that ask first."""
        before, pieces, behind = self._body()
        size = len(before) + PIECES * (PIECE * 4 // 3 if self.is_json else PIECE) + len(behind)
        content_type = "application/json" if self.is_json else CONTENT_TYPE
        lines = ["POST /alerts HTTP/1.1", "Host: localhost", f"Content-Type: {content_type}", f"Content-Length: {size}"]
        with socket.create_connection(("127.0.0.1", port), timeout=HANG) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + before)
            for piece in pieces:
                if select.select([connection], [], [], 0)[0]:
                    break
                connection.sendall(piece)
            else:
                connection.sendall(behind)
            response = HTTPResponse(connection)
            response.begin()
            return response.status


def send_all_at_once(posts: Sequence[LargePost], port: int) -> list[int]:
    """Return the status of each."""
    ready = threading.Barrier(len(posts))

    def send(post: LargePost) -> int:
        ready.wait(HANG)
        return post.send(port)

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(send, posts))


def most_memory(daemon: Daemon) -> int:
    """Return the most bytes that the process has ever had in memory."""
    status = Path(f"/proc/{daemon.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_fifty_large_posts_at_once_cost_bounded_memory(daemon: Daemon, relay: ScriptedSmtp) -> None:
    """Each is taken or told to come again, each that is taken arrives whole, and memory stays bounded."""
    posts = [LargePost(number) for number in range(POSTS)]

    statuses = send_all_at_once(posts, daemon.port)
    assert set(statuses) == {202, 503}
    again = [post for post, status in zip(posts, statuses, strict=True) if status == 503][:2]
    daemon.wait_until_idle(timeout=2 * HANG)
    assert [post.send(daemon.port) for post in again] == [202, 202]
    daemon.wait_until_idle(timeout=2 * HANG)

    taken = [post for post, status in zip(posts, statuses, strict=True) if status == 202] + again
    mails = {mail["Subject"].partition("] ")[2]: mail for mail in map(parsed, relay.mails)}
    for post in taken:
        ((file,),) = ([*mails[post.subject].iter_attachments()],)
        assert hashlib.sha256(file.get_payload(decode=True)).hexdigest() == post.digest
    assert len([subject for subject in mails if subject.startswith("large ")]) == len(taken)
    assert most_memory(daemon) < MOST_MEMORY
