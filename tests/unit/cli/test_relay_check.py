"""What `mailalert check` says of a certificate."""

from datetime import UTC, datetime, timedelta

import pytest

from app.cli.relay_check import DAYS_TO_RENEW, certificate_findings
from app.net.tls import PeerCertificate

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def findings(*, days: int, subject: str = "CN=mx1") -> list[tuple[str, str]]:
    """Return what is said of a certificate that is good for `days`."""
    certificate = PeerCertificate(
        subject=subject,
        names=("mx1.example.org", "mx2.example.org"),
        issuer="Some CA",
        expires_at=NOW + timedelta(days),
    )
    return list(certificate_findings(certificate, "TLSv1.3", NOW))


def test_a_certificate_is_told_with_its_names_and_its_end() -> None:
    """Whose it is, from whom, and how many days are left."""
    assert findings(days=90) == [
        ("ok", "encrypted by TLSv1.3; the certificate is for CN=mx1, mx1.example.org, mx2.example.org"),
        ("ok", "it is from Some CA, and good until 2026-06-02 (90 days)"),
    ]


def test_a_certificate_without_a_subject_has_its_names() -> None:
    """Some authorities leave it empty."""
    assert findings(days=90, subject="")[0][1].endswith("is for mx1.example.org, mx2.example.org")


@pytest.mark.parametrize(("days", "noted"), [(DAYS_TO_RENEW, False), (DAYS_TO_RENEW - 1, True), (0, True)])
def test_a_certificate_that_ends_soon_is_pointed_out(days: int, noted: bool) -> None:
    """While there is still time to renew it."""
    assert ("note" in dict(findings(days=days))) is noted
