"""What tools call their severities, in our four."""

from app.domain.alert import Severity

_WORDS = {
    Severity.CRITICAL: (
        "critical", "crit", "fatal", "emergency", "emerg", "panic", "disaster", "alert", "page", "urgent", "blocker",
        "p0", "p1", "sev0", "sev1", "sev-1", "s1", "highest",
    ),
    Severity.ERROR: (
        "error", "err", "high", "major", "severe", "failure", "failed", "p2", "sev2", "sev-2", "s2",
    ),
    Severity.WARNING: (
        "warning", "warn", "average", "medium", "minor", "moderate", "p3", "sev3", "sev-3", "s3", "unknown",
    ),
    Severity.INFO: (
        "info", "information", "informational", "notice", "low", "lowest", "debug", "trace", "success", "ok", "normal",
        "cleared", "none", "not classified", "p4", "p5", "sev4", "sev5", "s4", "s5", "indeterminate",
    ),
}  # fmt: skip
_BY_WORD = {word: severity for severity, words in _WORDS.items() for word in words}


def severity_of(word: str, default: Severity = Severity.WARNING) -> Severity:
    """Return the severity that a tool's word means, in any case; `default` for one that is not known."""
    return known_severity(word) or default


def known_severity(word: str) -> Severity | None:
    """Return the severity that a tool's word means, in any case, if it is known."""
    return _BY_WORD.get(word.strip().lower())
