"""The reply to EHLO is read as it is found in the wild."""

import pytest

from app.protocols.smtp.capabilities import Capabilities, parse_capabilities


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["PIPELINING is my name"], Capabilities(), id="the-first-line-only-greets"),
        pytest.param(["mx", "pipelining", "StartTLS"], Capabilities(pipelining=True, starttls=True), id="any-case"),
        pytest.param(["mx", "SIZE 1000"], Capabilities(size=True, size_limit=1000), id="size"),
        pytest.param(["mx", "SIZE"], Capabilities(size=True), id="size-without-limit"),
        pytest.param(["mx", "SIZE 0"], Capabilities(size=True), id="size-0-is-no-limit"),
        pytest.param(["mx", "SIZE ²"], Capabilities(size=True), id="size-no-number"),
        pytest.param(["mx", "SIZE " + "9" * 5000], Capabilities(size=True), id="size-huge"),
        pytest.param(["mx", "AUTH plain LOGIN"], Capabilities(auth=("PLAIN", "LOGIN")), id="auth"),
        pytest.param(["mx", "AUTH=LOGIN", "AUTH LOGIN PLAIN"], Capabilities(auth=("LOGIN", "PLAIN")), id="old-auth"),
        pytest.param(["mx", "SMTPUTF8", "dsn"], Capabilities(smtputf8=True, dsn=True), id="smtputf8-dsn"),
        pytest.param(
            ["mx", "LIMITS RCPTMAX=20 MAILMAX=5 RCPTDOMAINMAX=1"],
            Capabilities(max_mails=5, max_recipients=20),
            id="limits",
        ),
        pytest.param(["mx", "LIMITS"], Capabilities(), id="limits-none"),
        pytest.param(["mx", "LIMITS RCPTMAX=0 MAILMAX=x MAILMAX"], Capabilities(), id="limits-no-number"),
        pytest.param(["mx", "LIMITS RCPTMAX=1000000"], Capabilities(), id="limits-too-long"),
        pytest.param(["mx", "", "8BITMIME"], Capabilities(), id="empty-line"),
    ],
)
def test_capabilities(lines: list[str], expected: Capabilities) -> None:
    """Each known keyword is understood, each other is passed over."""
    assert parse_capabilities(lines) == expected
