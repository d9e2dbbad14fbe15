"""A POP3 server that only sends ready-made answers, so that the speed of a client shows.

usage: python -m tests.bench.fast_pop3 MAILS      (prints its port, and serves one session after the other)
"""

import socket
import sys

MAIL = (
    b"From: Monitoring <alerts@example.org>\r\nTo: ops@example.org\r\nSubject: [db1] disk full\r\n"
    b"Date: Sat, 1 Aug 2026 12:00:00 +0000\r\nMessage-ID: <0123456789abc.mac@example.org>\r\n\r\n"
    + b"A line of a small mail, as monitoring tools send them.\r\n"
    * 16
)


def answers(mails: int) -> dict[bytes, bytes]:
    """Return what is said to each command but RETR."""
    sizes = b"".join(b"%d %d\r\n" % (number, len(MAIL)) for number in range(1, mails + 1))
    uids = b"".join(b"%d uid-%d\r\n" % (number, number) for number in range(1, mails + 1))
    return {
        b"CAPA": b"+OK\r\nPIPELINING\r\nUIDL\r\nTOP\r\nUSER\r\n.\r\n",
        b"STAT": b"+OK %d %d\r\n" % (mails, mails * len(MAIL)),
        b"LIST": b"+OK\r\n" + sizes + b".\r\n",
        b"UIDL": b"+OK\r\n" + uids + b".\r\n",
    }


def serve(connection: socket.socket, said: dict[bytes, bytes]) -> None:
    """Answer one client until it hangs up."""
    mail = b"+OK %d octets\r\n" % len(MAIL) + MAIL + b".\r\n"
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(b"+OK ready\r\n")
    buffer = b""
    while data := connection.recv(65536):
        *lines, buffer = (buffer + data).split(b"\r\n")
        replies = [mail if line.startswith(b"RETR") else said.get(line, b"+OK\r\n") for line in lines]
        connection.sendall(b"".join(replies))


def main() -> None:
    """Listen on a free port of loopback."""
    said = answers(int(sys.argv[1]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                serve(connection, said)


if __name__ == "__main__":
    main()
