"""Signatures of bodies. What the tools send was worked out with `openssl dgst -sha256 -hmac s3cret`."""

from datetime import UTC, datetime, timedelta

import pytest

from app.httpkit.credentials import Fields
from app.httpkit.signatures import is_signed, signature_in

SECRET = b"s3cret"
BODY = b'{"status":"firing"}'
SIGNED_AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)  # 1772600767
OF_THE_BODY = b"043737fa7d4b65306416549b14537adb753ed11a55b3fb6f50fec5192bbd3851"
WITH_THE_TIME = b"5e1774888a42b0615d45b51c4f8b938b90d5ffccda039e420132cc6d711eda23"
TIMED = {b"x-grafana-alerting-signature": WITH_THE_TIME, b"x-grafana-alerting-timestamp": b"1772600767"}


def fits(fields: Fields, *, body: bytes = BODY, at: datetime = SIGNED_AT, secret: bytes = SECRET) -> bool:
    """Tell whether a request with these fields is signed by `secret`."""
    signature = signature_in(fields, at)
    return signature is not None and signature.is_of(body, secret=secret)


@pytest.mark.parametrize(
    "fields",
    [
        {b"sentry-hook-signature": OF_THE_BODY},
        {b"sentry-hook-signature": b" " + OF_THE_BODY.upper()},
        {b"x-grafana-alerting-signature": OF_THE_BODY},
        TIMED,
    ],
    ids=["Sentry", "upper case", "Grafana", "Grafana with the time"],
)
def test_the_tools_signatures_fit(fields: Fields) -> None:
    """Sentry and Grafana sign the body with the secret; Grafana, if told so, with the time before it."""
    assert is_signed(fields)
    assert fits(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {b"sentry-hook-signature": b""},
        {b"sentry-hook-signature": OF_THE_BODY[:-1]},
        {b"sentry-hook-signature": b"\xff" * 64},
        {b"sentry-hook-signature": WITH_THE_TIME},
        {b"x-grafana-alerting-signature": WITH_THE_TIME},
        TIMED | {b"x-grafana-alerting-timestamp": b"1772600768"},
        TIMED | {b"x-grafana-alerting-timestamp": b""},
        TIMED | {b"x-grafana-alerting-timestamp": b"now"},
        TIMED | {b"x-grafana-alerting-timestamp": b"9" * 5000},
        TIMED | {b"x-grafana-alerting-timestamp": b"999999999999"},
        {**TIMED, b"x-grafana-alerting-signature": OF_THE_BODY},
    ],
    ids=[
        "none",
        "empty",
        "short",
        "no hex",
        "another's",
        "time left out",
        "time changed",
        "no time",
        "no number",
        "endless",
        "far ahead",
        "time put in",
    ],
)
def test_no_other_signature_fits(fields: Fields) -> None:
    """A changed value, a changed time and none at all prove nothing."""
    assert not fits(fields)


def test_another_body_or_secret_does_not_fit() -> None:
    """The signature is of this body, by this secret."""
    assert not fits({b"sentry-hook-signature": OF_THE_BODY}, body=BODY + b" ")
    assert not fits({b"sentry-hook-signature": OF_THE_BODY}, secret=b"another")


@pytest.mark.parametrize(
    ("minutes", "is_taken"), [(-6, False), (-4, True), (4, True), (6, False)], ids=["early", "near", "later", "late"]
)
def test_a_signature_with_a_time_grows_old(minutes: int, is_taken: bool) -> None:
    """Whoever overheard it cannot use it for long; clocks may differ by five minutes."""
    assert fits(TIMED, at=SIGNED_AT + timedelta(minutes=minutes)) is is_taken


@pytest.mark.parametrize(
    "field", [b"x-grafana-alerting-signature", b"sentry-hook-signature"], ids=["Grafana", "Sentry"]
)
def test_a_signature_with_a_time_is_none_of_a_body_with_the_time_in_it(field: bytes) -> None:
    """What was overheard does not become a request that never grows old, under the name of neither tool."""
    assert not fits({field: WITH_THE_TIME}, body=b"1772600767:" + BODY)
