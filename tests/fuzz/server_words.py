"""What servers say: the words that the fuzzers mix, and a sound server's side of a whole session."""

from tests.fuzz.dialogue import SECRET

LINES = [
    b"220 mx ESMTP\r\n",
    b"250-mx\r\n250-PIPELINING\r\n250-SIZE 300000\r\n250-DSN\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n",
    b"250-mx\r\n250-LIMITS RCPTMAX=1\r\n250 SIZE 0\r\n",
    b"250 2.1.0 ok\r\n",
    b"250-more\r\n",
    b"235 2.7.0 welcome\r\n",
    b"334 VXNlcm5hbWU6\r\n",
    b"334 \r\n",
    b"354 go on\r\n",
    b"421 4.3.2 bye\r\n",
    b"450 4.2.1 later\r\n",
    b"452 4.5.3 too many recipients\r\n",
    b"503 5.5.1 bad sequence\r\n",
    b"535 5.7.8 no " + SECRET.encode() + b"\r\n",
    b"550 5.1.1 no such user\r\n",
    b"552 5.3.4 too large\r\n",
    b"250",
    b"-",
    b"\r\n",
    b"\n",
]
OK, GO, TAKEN = b"250 2.1.0 ok\r\n", b"354 go on\r\n", b"250 2.0.0 taken\r\n"
# What a sound server says to each flight of ours: behind the first mail the envelope goes with the content before.
FLIGHTS = [
    LINES[0],
    LINES[1],
    OK * 3 + GO,
    TAKEN + OK * 2 + GO,
    TAKEN + OK * 3 + GO,
    TAKEN,
    b"221 2.0.0 bye\r\n",
]
